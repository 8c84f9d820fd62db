"""The audit log: keeps every event and shows it to whom it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import orjson
from pydantic import BaseModel, JsonValue

from biont import (
    Api,
    Cursor,
    Event,
    Limit,
    Page,
    Request,
    Tables,
    Transaction,
    Workbench,
    decode_cursor,
    hookimpl,
    make_page,
    on,
)
from biont_audit.tables import EventLog

api = Api("events")


class EventView(BaseModel):
    """An event as its user sees it."""

    id: str
    user_id: int
    event_type: str
    payload: dict[str, JsonValue]
    created_at: datetime
    correlation_id: str
    causation_id: str | None


@hookimpl
def register_tables() -> Tables:
    """Return the one table of the log."""
    return Tables(Path(__file__).parent / "migrations", [EventLog])


@hookimpl
def register_routes() -> Api:
    """Return the route that reads the log."""
    return api


# A little patience makes one write of many events; nobody waits for the log.
@on("*", batch=500, linger=0.05)
async def log_events(events: Sequence[Event], workbench: Workbench) -> None:
    """Write events into the log; one that stands there already changes nothing."""
    await workbench.store.write(_insert, events)


@api.get("/events")
async def list_events(
    request: Request,
    event_type: str | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[EventView]:
    """List your events, the newest first."""
    rows = await request.workbench.store.read(
        _select, request.user_id, event_type, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda row: row.id, _show)


def _insert(_: Transaction, events: Sequence[Event]) -> None:
    rows = [
        (
            event.id,
            event.user_id,
            event.event_type,
            orjson.dumps(event.payload).decode(),
            event.created_at,
            event.correlation_id,
            event.causation_id,
            event.hops,
        )
        for event in events
    ]
    fields = [
        EventLog.event_id,
        EventLog.user_id,
        EventLog.event_type,
        EventLog.payload,
        EventLog.created_at,
        EventLog.correlation_id,
        EventLog.causation_id,
        EventLog.hops,
    ]
    EventLog.insert_many(rows, fields=fields).on_conflict_ignore().execute()


def _select(
    user_id: int, event_type: str | None, limit: int, before: int | None
) -> list[EventLog]:
    query = EventLog.select().where(EventLog.user_id == user_id)
    if event_type is not None:
        query = query.where(EventLog.event_type == event_type)
    if before is not None:
        query = query.where(EventLog.id < before)
    return list(query.order_by(EventLog.id.desc()).limit(limit + 1))


def _show(row: EventLog) -> EventView:
    return EventView(
        id=row.event_id,
        user_id=row.user_id,
        event_type=row.event_type,
        payload=orjson.loads(row.payload),
        created_at=row.created_at,
        correlation_id=row.correlation_id,
        causation_id=row.causation_id,
    )
