"""Pages of webhooks: the list, a new one, one with its deliveries, filter, settings and replay."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypedDict

import orjson
from aiohttp import web
from pydantic import JsonValue

from biont import Request, RowId
from biont_dashboard.dialect import make_api
from biont_dashboard.page import DashboardPage, open_page
from biont_dashboard.query_texts import QueryText, read_filtered, to_field, to_instant
from biont_dashboard.visit import Object, list_objects
from biont_dashboard.webhook_health import WebhookHealth, read_health
from biont_dashboard.webhook_paths import WEBHOOKS, read_event_types

_PAGE = 25
# Values of `retry` with their words; the numbers are the seconds to wait before each retry.
_RETRIES: Sequence[tuple[str, str]] = (
    ('"none"', "None"),
    ('"standard"', "Standard: nine retries within four days"),
    ("[10,60,300]", "After 10 s, 1 min, 5 min"),
    ("[60,600,3600]", "After 1 min, 10 min, 1 h"),
)

api = make_api()


@api.get("/dashboard/webhooks")
async def show_webhooks(request: Request) -> web.Response:
    """Show the webhooks with their health."""
    page = await open_page(request, plugin="webhooks")
    listing = await page.read_list(WEBHOOKS, limit=_PAGE)
    health = await asyncio.gather(*(read_health(page, row) for row in listing.rows))
    return await page.render(
        "webhooks/list.html", panels_of="webhooks", listing=listing, health=health
    )


@api.get("/dashboard/webhooks/new")
async def show_new_webhook(request: Request) -> web.Response:
    """Show the form of a new webhook."""
    page = await open_page(request, plugin="webhooks")
    types = await read_event_types(page)
    return await page.render("webhooks/new.html", types=types, retries=_RETRIES)


@api.get("/dashboard/webhooks/{webhook_id}")
async def show_webhook(  # noqa: PLR0913, PLR0917  # the filters of the list
    request: Request,
    webhook_id: RowId,
    status: QueryText = "",
    event_type: QueryText = "",
    status_code: QueryText = "",
    error_class: QueryText = "",
    since: QueryText = "",
    until: QueryText = "",
) -> web.Response:
    """Show a webhook and its deliveries."""
    page, health = await open_webhook(request, webhook_id)
    listing, problem = await read_filtered(
        page,
        f"{WEBHOOKS}/{webhook_id}/deliveries",
        status=status or None,
        event_type=event_type or None,
        status_code=status_code or None,
        error_class=error_class or None,
        since=to_instant(since),
        until=to_instant(until),
        limit=50,
    )
    chosen = {
        "status": status,
        "event_type": event_type,
        "status_code": status_code,
        "error_class": error_class,
        "since": to_field(since),
        "until": to_field(until),
    }
    return await page.render(
        "webhooks/deliveries.html",
        status=422 if problem else 200,
        filter_problem=problem,
        panels_of="webhook",
        **describe_webhook(health, "deliveries"),
        listing=listing,
        chosen=chosen,
        types=await read_event_types(page),
    )


@api.get("/dashboard/webhooks/{webhook_id}/settings")
async def show_settings(request: Request, webhook_id: RowId) -> web.Response:
    """Show the settings of a webhook, with the forms that change them."""
    page, health = await open_webhook(request, webhook_id)
    present = health.webhook["retry"]
    retry = _write_retry(present)
    retries = list(_RETRIES)
    if retry not in dict(_RETRIES):
        retries.append((retry, f"As now: after {retry.strip('[]').replace(',', ', ')} s"))
    return await page.render(
        "webhooks/settings.html",
        **describe_webhook(health, "settings"),
        retry=retry,
        retries=retries,
    )


@api.get("/dashboard/webhooks/{webhook_id}/filter")
async def show_filter(request: Request, webhook_id: RowId) -> web.Response:
    """Show the filter of a webhook, and try another one on the newest events."""
    page, health = await open_webhook(request, webhook_id)
    event_types, text = (request.http.query.get(name) for name in ("event_types", "filter"))
    is_tried = event_types is not None or text is not None
    present = health.webhook
    words = _read_words(event_types, present)
    if text is None:
        text = "" if present["filter"] is None else _write_filter(present["filter"])
    trial = await _try_filter(page, words, text)
    return await page.render(
        "webhooks/filter.html",
        **describe_webhook(health, "filter"),
        **trial,
        event_types=words,
        filter_text=text,
        is_tried=is_tried,
        types=await read_event_types(page),
    )


@api.get("/dashboard/webhooks/{webhook_id}/redeliver")
async def show_redelivery(
    request: Request,
    webhook_id: RowId,
    act: QueryText = "",
    since: QueryText = "",
    until: QueryText = "",
    event_types: QueryText = "",
) -> web.Response:
    """Show the forms that recover and replay, with the count of a chosen act."""
    page, health = await open_webhook(request, webhook_id)
    body: dict[str, JsonValue] = {"since": to_instant(since)}
    if act == "replay":
        if until:
            body["until"] = to_instant(until)
        if event_types.split():
            body["event_types"] = [*event_types.replace(",", " ").split()]
    count, problem = None, None
    if act in ("recover", "replay") and since and not page.is_read_only:
        answer = await page.call(
            "POST", f"{WEBHOOKS}/{webhook_id}/{act}", body={**body, "dry_run": True}
        )
        found = answer.read_json()
        members = found if isinstance(found, dict) else {}
        if answer.is_ok:
            count = members["count"]
        else:
            problem = members
    operations = await page.read_rows("/api/v1/operations", limit=100)
    subject = f"{WEBHOOKS}/{webhook_id}"
    return await page.render(
        "webhooks/redeliver.html",
        **describe_webhook(health, "redeliver"),
        act=act,
        body=body,
        count=count,
        problem=problem,
        chosen={"since": to_field(since), "until": to_field(until), "event_types": event_types},
        operations=[row for row in operations if row["subject"] == subject][:10],
        types=await read_event_types(page),
    )


async def open_webhook(request: Request, webhook_id: int) -> tuple[DashboardPage, WebhookHealth]:
    """Return the page of a webhook, and the webhook's health.

    Raises:
        NotFound: the user has no such webhook.
    """
    page = await open_page(request, plugin="webhooks")
    webhook = await page.read(f"{WEBHOOKS}/{webhook_id}")
    return page, await read_health(page, webhook)


class WebhookValues(TypedDict):
    """Values of the head of a webhook's pages.

    Attributes:
        health: the health of the webhook.
        webhook: the webhook, as the API shows it.
        href: the page of the webhook.
        api_path: the path of the webhook in the API.
        title: the name, or the URL.
        tabs: the views of the webhook.
    """

    health: WebhookHealth
    webhook: Object
    href: str
    api_path: str
    title: str
    tabs: Sequence[tuple[str, str, bool]]


class TrialValues(TypedDict):
    """Values of a trial of a filter.

    Attributes:
        filter: the filter; None for none, or for a text that is not JSON.
        tried: the answer of the API; None if nothing was tried.
        events: the events that were tried.
        problem: the problem of the filter; None for none.
    """

    filter: JsonValue
    tried: Object | None
    events: Sequence[Object]
    problem: Object | None


def describe_webhook(health: WebhookHealth, tab: str) -> WebhookValues:
    """Return the values that the head of a webhook's pages shows."""
    webhook = health.webhook
    path = f"/dashboard/webhooks/{webhook['id']}"
    views = (
        ("Deliveries", "", "deliveries"),
        ("Filter", "/filter", "filter"),
        ("Recover and replay", "/redeliver", "redeliver"),
        ("Check", "/conformance", "conformance"),
        ("Settings", "/settings", "settings"),
    )
    return {
        "health": health,
        "webhook": webhook,
        "href": path,
        "api_path": f"{WEBHOOKS}/{webhook['id']}",
        "title": str(webhook["name"] or webhook["url"]),
        "tabs": [(title, path + end, name == tab) for title, end, name in views],
    }


def _read_words(event_types: str | None, webhook: Object) -> list[str]:
    if event_types is not None:
        return event_types.replace(",", " ").split()
    present = webhook["event_types"]
    return [str(name) for name in present] if isinstance(present, list) else []


def _write_retry(retry: JsonValue) -> str:
    """Return the retries as JSON, with whole numbers as the presets have them."""
    if isinstance(retry, list):
        retry = [
            int(pause) if isinstance(pause, float) and pause.is_integer() else pause
            for pause in retry
        ]
    return orjson.dumps(retry).decode()


def _write_filter(value: JsonValue) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


async def _try_filter(page: DashboardPage, event_types: Sequence[str], text: str) -> TrialValues:
    """Return the filter as JSON, with the events or the problem of a trial."""
    found = TrialValues(filter=None, tried=None, events=[], problem=None)
    try:
        found["filter"] = orjson.loads(text) if text.strip() else None
    except orjson.JSONDecodeError as error:
        errors: JsonValue = [{"pointer": "#/filter", "detail": f"is not JSON: {error}"}]
        found["problem"] = {"title": "Not a filter", "detail": "", "errors": errors}
        return found
    if page.is_read_only or not page.has_plugin("audit"):
        return found
    body: JsonValue = {"event_types": [*event_types], "filter": found["filter"]}
    answer = await page.call("POST", f"{WEBHOOKS}/try-filter", body=body)
    members = answer.read_json()
    if not isinstance(members, dict):
        return found
    if answer.is_ok:
        found["tried"], found["events"] = members, list_objects(members, "events")
    else:
        found["problem"] = members
    return found
