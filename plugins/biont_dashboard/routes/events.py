"""Pages of events: the log, and one event with its causes, effects and receivers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from aiohttp import web
from pydantic import Field

from biont import Request
from biont_dashboard.dialect import make_api
from biont_dashboard.event_graph import (
    GraphBox,
    Surroundings,
    draw_trees,
    iterate_trees,
    make_trees,
)
from biont_dashboard.event_origin import read_origin
from biont_dashboard.event_source import make_call_box, read_source
from biont_dashboard.object_links import list_links
from biont_dashboard.page import DashboardPage, open_page
from biont_dashboard.query_texts import QueryText, read_filtered, to_field, to_instant
from biont_dashboard.rendering import clip, parse_instant
from biont_dashboard.visit import Object, list_objects
from biont_dashboard.webhook_paths import WEBHOOKS, read_event_types

EVENTS = "/api/v1/events"
_CHAIN = 500
_MOST_WEBHOOKS = 50
_MOST_CALLS = 10

api = make_api()


@api.get("/dashboard/events")
async def show_events(
    request: Request,
    event_type: QueryText = "",
    correlation_id: QueryText = "",
    since: QueryText = "",
    until: QueryText = "",
) -> web.Response:
    """Show the event log, the newest first."""
    page = await open_page(request, plugin="audit")
    listing, problem = await read_filtered(
        page,
        EVENTS,
        event_type=event_type or None,
        correlation_id=correlation_id or None,
        since=to_instant(since),
        until=to_instant(until),
        limit=50,
    )
    return await page.render(
        "events/list.html",
        status=422 if problem else 200,
        filter_problem=problem,
        panels_of="events",
        listing=listing,
        summaries={str(row["id"]): summarize(row) for row in listing.rows},
        chosen={
            "event_type": event_type,
            "correlation_id": correlation_id,
            "since": to_field(since),
            "until": to_field(until),
        },
        types=await read_event_types(page),
    )


@api.get("/dashboard/events/{event_id}")
async def show_event(
    request: Request, event_id: Annotated[str, Field(max_length=100)]
) -> web.Response:
    """Show an event: payload, causes and effects, and who got it."""
    page = await open_page(request, plugin="audit")
    event = await page.read(f"{EVENTS}/{event_id}")
    chain, receivers, handlers, outside = await asyncio.gather(
        page.read_rows(EVENTS, correlation_id=str(event["correlation_id"]), limit=_CHAIN),
        _read_receivers(page, event),
        page.read_rows(f"{EVENTS}/{event_id}/handlers"),
        read_origin(page, event),
    )
    # The event itself may be older than the newest of a very long chain.
    known = list(chain) if any(row["id"] == event["id"] for row in chain) else [*chain, event]
    known.sort(key=lambda row: row["number"] if isinstance(row["number"], int) else 0)
    roots = make_trees(known)
    summaries = {str(row["id"]): summarize(row) for row in known}
    source, deliveries = await asyncio.gather(
        read_source(page, known), _read_deliveries(page, receivers)
    )
    calls = [make_call_box(call) for call in source.calls[:_MOST_CALLS]]
    around = Surroundings(source.boxes, calls, deliveries)
    drawing = draw_trees(roots, str(event["id"]), summaries, around)
    return await page.render(
        "events/one.html",
        panels_of="event",
        event=event,
        links=list_links(event),
        outside=outside,
        drawing=drawing,
        source=source,
        chain=list(iterate_trees(roots)),
        is_long=len(chain) == _CHAIN,
        summaries=summaries,
        receivers=receivers,
        handlers=handlers,
        replay=_make_replay(event),
    )


def summarize(event: Object) -> str:
    """Return what the payload of an event says, in a few words."""
    payload = event["payload"]
    if not isinstance(payload, dict):
        return ""
    for name in ("title", "name", "goal", "text", "message", "reason", "integration", "url"):
        value = payload.get(name)
        if isinstance(value, str) and value.strip():
            return clip(" ".join(value[:400].split()), 120)
    parts = [
        f"{name.replace('_', ' ')} {clip(str(value), 40)}"
        for name, value in payload.items()
        if isinstance(value, (str, int, float)) and not isinstance(value, bool)
    ]
    return clip(", ".join(parts[:4]), 120)


def _make_replay(event: Object) -> Object:
    """Return the body of a replay that sends this event alone."""
    at = parse_instant(str(event["created_at"]))
    until = at + timedelta(microseconds=1)
    return {
        "since": at.isoformat(),
        "until": until.isoformat(),
        "event_types": [event["event_type"]],
    }


async def _read_receivers(page: DashboardPage, event: Object) -> Sequence[Object]:
    """Return the decisions of the webhooks; for a read-only key, the deliveries only."""
    if not page.has_plugin("webhooks"):
        return []
    id_ = str(event["id"])
    explained = await page.read_or_none(f"{WEBHOOKS}/explain", event_id=id_, limit=_MOST_WEBHOOKS)
    if explained is not None:
        return list_objects(explained, "webhooks")
    webhooks = await page.read_rows(WEBHOOKS, limit=_MOST_WEBHOOKS)
    found = await asyncio.gather(
        *(
            page.read_rows(f"{WEBHOOKS}/{webhook['id']}/deliveries", event_id=id_, limit=1)
            for webhook in webhooks
        )
    )
    return [
        {
            "webhook_id": webhook["id"],
            "name": webhook["name"],
            "url": webhook["url"],
            "reason": "",
            "gets_it": True,
            "delivery_id": rows[0]["id"],
        }
        for webhook, rows in zip(webhooks, found, strict=True)
        if rows
    ]


async def _read_deliveries(page: DashboardPage, receivers: Sequence[Object]) -> Sequence[GraphBox]:
    """Return the deliveries of an event, for the drawing."""
    sent = [one for one in receivers if one["delivery_id"] is not None][:10]
    found = await asyncio.gather(
        *(
            page.read_or_none(f"{WEBHOOKS}/{one['webhook_id']}/deliveries/{one['delivery_id']}")
            for one in sent
        )
    )
    return [
        GraphBox(
            str(one["name"] or one["url"]),
            f"delivery, {delivery['status']}",
            {"succeeded": "ok", "failed": "fail"}.get(str(delivery["status"]), "wait"),
            f"/dashboard/webhooks/{one['webhook_id']}/deliveries/{one['delivery_id']}",
        )
        for one, delivery in zip(sent, found, strict=True)
        if delivery is not None
    ]
