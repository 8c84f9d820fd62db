"""The routes that read the log."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from biont import Api, Page, Request
from biont.exceptions import InputProblem, InvalidInput
from biont.http import Cursor, Instant, Limit, decode_cursor, make_page
from biont_audit.queries import EventFilter, find_place, select_entry, select_page
from biont_audit.stream import STREAMS
from biont_audit.views import EventView, TypePattern, show_entry

Place = Annotated[
    int,
    Field(
        ge=0,
        lt=2**63,
        description="The number of the event to go on behind, where the header does not say it.",
    ),
]

api = Api("events")


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
    """List your events, the newest first."""
    entries = await request.workbench.store.read(
        select_page,
        EventFilter(request.user_id, event_type, since, until, correlation_id),
        limit,
        decode_cursor(cursor),
    )
    return make_page(entries, limit, lambda entry: entry.number, show_entry)


@api.get("/events/{event_id}")
async def read_event(
    request: Request, event_id: Annotated[str, Field(max_length=100)]
) -> EventView:
    """Read an event."""
    return show_entry(await request.workbench.store.read(select_entry, request.user_id, event_id))


@api.get("/events/stream", media_type="text/event-stream")
async def follow_events(
    request: Request, event_type: TypePattern = "*", last_event_id: Place | None = None
) -> web.StreamResponse:
    """Send your events as they are logged, without end (server-sent events).

    Each has its number as `id`, its type as `event`, and as `data` what the list shows. The header
    Last-Event-ID, or `last_event_id`, goes on right behind that number; without it, the stream
    begins with what comes from now on.
    """
    header = request.http.headers.get("Last-Event-ID")
    after = last_event_id if header is None else _parse_place(header)
    with request.workbench.get(STREAMS).open(request) as stream:
        place = await request.workbench.store.read(find_place, after)
        return await stream.send(EventFilter(request.user_id, event_type), place)


def _parse_place(header: str) -> int:
    # What has more digits is no such number, and may have too many to be read as one at all.
    is_number = header.isdecimal() and header.isascii() and len(header) <= 19
    if not is_number or int(header) >= 2**63:
        raise InvalidInput(InputProblem("must be the number of an event", "Last-Event-ID"))
    return int(header)
