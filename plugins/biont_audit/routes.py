"""REST routes of the event log."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from aiohttp import web
from pydantic import Field

from biont import Api, Page, Request
from biont.exceptions import InputProblem, InvalidInput
from biont.http import Cursor, Header, Instant, Limit, decode_cursor, make_page
from biont_audit.event_list import select_entries
from biont_audit.handler_routes import api as handler_api
from biont_audit.origins import EventOrigin, trace_origin
from biont_audit.queries import EventFilter, find_start_number, select_entry
from biont_audit.stream import STREAMS
from biont_audit.views import EventView, TypePattern, make_event_view

EventNumber = Annotated[
    int,
    Field(
        ge=0,
        lt=2**63,
        description="The number of the last event that the client has; the header Last-Event-ID "
        "takes precedence.",
    ),
]

api = Api("events")
api.include(handler_api)


@api.get("/events")
async def list_events(
    request: Request,
    event_type: TypePattern = "*",
    since: Instant | None = None,
    until: Instant | None = None,
    correlation_id: Annotated[str, Field(max_length=100)] | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[EventView]:
    """List your events, the newest first.

    A page of a rare filter may have fewer events than `limit`, or none; follow `next` until null.
    A key that is narrowed to some `events` gets these only.
    """
    choice = replace(
        EventFilter.of_request(request, event_type),
        since=since,
        until=until,
        correlation_id=correlation_id,
    )
    found = await request.workbench.store.read(
        select_entries,
        choice,
        limit,
        decode_cursor(cursor),
    )
    return make_page(
        found.rows, limit, lambda entry: entry.number, make_event_view, scanned_to=found.end
    )


@api.get("/events/{event_id}")
async def read_event(
    request: Request, event_id: Annotated[str, Field(max_length=100)]
) -> EventView:
    """Read an event.

    Events that one request or run led to have one `correlation_id`. A key that is narrowed to
    some `events` may read these only.
    """
    entry = await request.workbench.store.read(select_entry, request.user_id, event_id)
    request.use_events([entry.event_type])
    return make_event_view(entry)


@api.get("/events/{event_id}/origin", operation="read_event_origin")
async def read_origin(
    request: Request, event_id: Annotated[str, Field(max_length=100)]
) -> EventOrigin:
    """Read where an event came from, step by step.

    The last step is the request of another system, if text of such a request has led to the event.
    A key that is narrowed to some `events` may not see the origin of other events.
    """
    origin = await request.workbench.store.read(trace_origin, request.user_id, event_id)
    request.use_events(sorted({step.event.event_type for step in origin.steps}))
    return origin


@api.get(
    "/events/stream",
    media_type="text/event-stream",
    reads=(Header("Last-Event-ID", "The number of the last event that the client has received."),),
)
async def follow_events(
    request: Request, event_type: TypePattern = "*", last_event_id: EventNumber | None = None
) -> web.StreamResponse:
    """Stream your events as server-sent events, as soon as the log has each event.

    `id` is the number of the event, `event` the event type, and `data` the event as in the
    list. With the header Last-Event-ID, or `last_event_id`, the stream continues after that
    number; otherwise the stream begins with the next new event. A key that is narrowed to some
    `events` gets these only.
    """
    choice = EventFilter.of_request(request, event_type)
    header = request.http.headers.get("Last-Event-ID")
    after = last_event_id if header is None else _parse_event_number(header)
    with request.workbench.get(STREAMS).open(request) as stream:
        start = await request.workbench.store.read(find_start_number, after)
        return await stream.send(choice, start)


def _parse_event_number(header: str) -> int:
    # 2**63 has 19 digits. Python refuses to parse thousands of digits, with another error.
    is_number = header.isdecimal() and header.isascii() and len(header) <= 19
    if not is_number or int(header) >= 2**63:
        raise InvalidInput(InputProblem("must be the number of an event", "Last-Event-ID"))
    return int(header)
