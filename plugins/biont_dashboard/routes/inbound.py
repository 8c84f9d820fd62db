"""Pages of inbound webhooks: the list, a new one, one with its requests, a trial, settings."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypedDict

import orjson
from aiohttp import web
from pydantic import JsonValue

from biont import Request, RowId
from biont.exceptions import InputProblem, InvalidInput
from biont.http import read_form
from biont_dashboard.dialect import make_api
from biont_dashboard.inbound_words import (
    describe_action,
    describe_filter,
    describe_state,
    find_result,
    is_secret_missing,
)
from biont_dashboard.model_choice import list_model_choices
from biont_dashboard.page import DashboardPage, open_page
from biont_dashboard.query_texts import QueryText
from biont_dashboard.sessions import check_csrf_token
from biont_dashboard.visit import Object

INBOUND = "/api/v1/webhooks/incoming"
_PAGE = 25
_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "note": "Keep a note",
        "prompt": "Ask a model",
        "mission": "Start a mission",
        "event": "Emit an event",
    }
)
# Placeholders are written here, because templates would fill them in.
_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "title": "{{ event }}",
        "content": "{{ body }}",
        "prompt": "Summarise this issue: {{ body.issue.title }} {{ body.issue.body }}",
        "goal": "Find out what we know about this issue: {{ body.issue.title }}",
        "payload": '{"number": "{{ body.issue.number }}"}',
        "example": "{{ body.issue.title }}",
    }
)

api = make_api()


class InboundValues(TypedDict):
    """Values of the head of an inbound webhook's pages.

    Attributes:
        webhook: the webhook, as the API shows it.
        preset: the sender.
        href: the page of the webhook.
        api_path: the path of the webhook in the API.
        state: the state and its tone.
        is_secret_missing: whether the user has yet to set the sender's secret.
        tabs: the views of the webhook.
    """

    webhook: Object
    preset: Object
    href: str
    api_path: str
    state: tuple[str, str]
    is_secret_missing: bool
    tabs: Sequence[tuple[str, str, bool]]


@api.get("/dashboard/inbound")
async def show_webhooks(request: Request) -> web.Response:
    """Show the inbound webhooks, the newest first."""
    page = await open_page(request, plugin="inbound")
    listing, presets = await asyncio.gather(
        page.read_list(INBOUND, limit=_PAGE), page.read_rows(f"{INBOUND}/presets")
    )
    titles = {str(row["name"]): str(row["title"]) for row in presets}
    return await page.render(
        "inbound/list.html",
        panels_of="inbound",
        listing=listing,
        presets=presets,
        shown=[
            (
                row,
                titles.get(str(row["preset"]), str(row["preset"])),
                describe_action(row["action"]),
                describe_state(row),
            )
            for row in listing.rows
        ],
    )


@api.get("/dashboard/inbound/new")
async def show_new_webhook(
    request: Request, preset: QueryText = "github", kind: QueryText = "note"
) -> web.Response:
    """Show the form of a new inbound webhook, for a sender and a kind of action."""
    page = await open_page(request, plugin="inbound")
    presets, models, tools = await asyncio.gather(
        page.read_rows(f"{INBOUND}/presets"),
        list_model_choices(page),
        page.read_rows("/api/v1/tools"),
    )
    chosen = next((row for row in presets if row["name"] == preset), None)
    if chosen is None:
        raise InvalidInput(InputProblem(f"there is no sender {preset!r}", "preset"))
    if kind not in _KINDS:
        raise InvalidInput(InputProblem(f"must be one of {', '.join(_KINDS)}", "kind"))
    return await page.render(
        "inbound/new.html",
        presets=presets,
        preset=chosen,
        kind=kind,
        kinds=_KINDS,
        texts=_TEXTS,
        models=models,
        tools=[str(tool["name"]) for tool in tools],
    )


@api.get("/dashboard/inbound/{inbound_id}")
async def show_webhook(request: Request, inbound_id: RowId) -> web.Response:
    """Show an inbound webhook: the action, the last requests, and the accepted ones."""
    page, values = await _open_webhook(request, inbound_id, "requests")
    requests, listing = await asyncio.gather(
        page.read_rows(f"{values['api_path']}/requests", limit=10),
        page.read_list(f"{values['api_path']}/deliveries", limit=_PAGE),
    )
    webhook = values["webhook"]
    return await page.render(
        "inbound/requests.html",
        panels_of="inbound-webhook",
        **values,
        action=describe_action(webhook["action"]),
        filter=describe_filter(webhook["filter"]),
        requests=requests,
        listing=listing,
        deliveries=[(row, find_result(row["result"])) for row in listing.rows],
        has_log=page.has_plugin("audit"),
    )


@api.get("/dashboard/inbound/{inbound_id}/settings")
async def show_settings(request: Request, inbound_id: RowId) -> web.Response:
    """Show the settings of an inbound webhook, with the forms that change them."""
    page, values = await _open_webhook(request, inbound_id, "settings")
    return await page.render("inbound/settings.html", **values)


@api.get("/dashboard/inbound/{inbound_id}/try")
async def show_trial(request: Request, inbound_id: RowId, last: QueryText = "") -> web.Response:
    """Show the form that tries a request, filled with one of the last requests."""
    page, values = await _open_webhook(request, inbound_id, "try")
    fields = {"headers": "", "body": "", "check": "false"}
    if last:
        requests = await page.read_rows(f"{values['api_path']}/requests", limit=10)
        found = next((row for row in requests if str(row["id"]) == last), None)
        if found is not None:
            fields["headers"] = _write(found["headers"])
            fields["body"] = str(found["body"])
    return await page.render(
        "inbound/try.html", **values, fields=fields, trial=None, problems=[], texts=_TEXTS
    )


@api.post("/dashboard/inbound/{inbound_id}/try")
async def try_request(request: Request, inbound_id: RowId) -> web.Response:
    """Try a request, and show the verdict and the action that would follow."""
    given = dict(await read_form(request.http))
    check_csrf_token(request, given.get("csrf"))
    page, values = await _open_webhook(request, inbound_id, "try")
    fields = {name: given.get(name, "") for name in ("headers", "body", "check")}
    # Browsers end the lines of a text area like this.
    fields["body"] = fields["body"].replace("\r\n", "\n")
    trial, problems = await _try(page, values["api_path"], fields)
    return await page.render(
        "inbound/try.html", **values, fields=fields, trial=trial, problems=problems, texts=_TEXTS
    )


async def _try(
    page: DashboardPage, api_path: str, fields: Mapping[str, str]
) -> tuple[Object | None, Sequence[str]]:
    """Return the answer of the API, or what is wrong with the fields."""
    try:
        headers: JsonValue = orjson.loads(fields["headers"]) if fields["headers"].strip() else {}
    except orjson.JSONDecodeError as error:
        return None, [f"The headers are not JSON: {error}"]
    body: JsonValue = {
        "headers": headers,
        "body": fields["body"],
        "check_signature": fields["check"] == "true",
    }
    answer = await page.call("POST", f"{api_path}/try", body=body)
    found = answer.read_json()
    members = found if isinstance(found, dict) else {}
    if answer.is_ok:
        return members, []
    errors = members.get("errors")
    details = [
        f"{error.get('pointer') or error.get('parameter') or ''}: {error.get('detail')}"
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict)
    ]
    return None, details or [str(members.get("detail") or members.get("title"))]


async def _open_webhook(
    request: Request, inbound_id: int, tab: str
) -> tuple[DashboardPage, InboundValues]:
    """Return the page of an inbound webhook, and the values of the head.

    Raises:
        NotFound: the user has no such webhook.
    """
    page = await open_page(request, plugin="inbound")
    webhook, presets = await asyncio.gather(
        page.read(f"{INBOUND}/{inbound_id}"), page.read_rows(f"{INBOUND}/presets")
    )
    name = webhook["preset"]
    href = f"/dashboard/inbound/{inbound_id}"
    views = (
        ("Requests", "", "requests"),
        ("Try a request", "/try", "try"),
        ("Settings", "/settings", "settings"),
    )
    return page, {
        "webhook": webhook,
        "preset": next(row for row in presets if row["name"] == name),
        "href": href,
        "api_path": f"{INBOUND}/{inbound_id}",
        "state": describe_state(webhook),
        "is_secret_missing": is_secret_missing(webhook),
        "tabs": [(title, href + end, view == tab) for title, end, view in views],
    }


def _write(value: JsonValue) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
