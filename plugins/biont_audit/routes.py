"""The routes that read the log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from pydantic import AwareDatetime, BaseModel, Field, JsonValue

from biont import Api, Cursor, Limit, Page, Request, decode_cursor, make_page
from biont_audit.reading import Choice, select_entry, select_page
from biont_audit.tables import LogEntry

TypePattern = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9_]{0,100}\*?$",
        description="An event type, a prefix (`task_*`), or `*` for all.",
    ),
]

api = Api("events")


class EventView(BaseModel):
    """An event as its user sees it."""

    id: str
    number: int = Field(description="Its place in the log, by which the stream goes on.")
    user_id: int
    event_type: str
    payload: dict[str, JsonValue]
    created_at: datetime
    correlation_id: str
    causation_id: str | None


@api.get("/events")
async def list_events(
    request: Request,
    event_type: TypePattern = "*",
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    correlation_id: Annotated[str, Field(max_length=100)] | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[EventView]:
    """List your events, the newest first."""
    entries = await request.workbench.store.read(
        select_page,
        Choice(request.user_id, event_type, since, until, correlation_id),
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


def show_entry(entry: LogEntry) -> EventView:
    """Return an entry as its user sees it."""
    return EventView(
        id=entry.event_id,
        number=entry.number,
        user_id=entry.user_id,
        event_type=entry.event_type,
        payload=orjson.loads(entry.payload),
        created_at=entry.created_at,
        correlation_id=entry.correlation_id,
        causation_id=entry.causation_id,
    )
