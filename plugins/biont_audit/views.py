"""Schemas of events, as REST clients receive events."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from pydantic import Field, JsonValue

from biont import Schema
from biont_audit.tables import LogEntry

TypePattern = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9_]{0,100}\*?$",
        description="An event type, a prefix (`task_*`), or `*` for all.",
    ),
]


class EventView(Schema):
    """An event in the log."""

    id: str
    number: int = Field(description="Number in the log, from which a stream can continue.")
    user_id: int
    event_type: str
    payload: dict[str, JsonValue]
    created_at: datetime
    correlation_id: str
    causation_id: str | None
    origin: str | None = Field(
        description="Event by which text from outside came in that led to this event; null for "
        "none."
    )


def make_event_view(entry: LogEntry) -> EventView:
    """Return the REST view of an entry."""
    return EventView(
        id=entry.event_id,
        number=entry.number,
        user_id=entry.user_id,
        event_type=entry.event_type,
        payload=orjson.loads(entry.payload),
        created_at=entry.created_at,
        correlation_id=entry.correlation_id,
        causation_id=entry.causation_id,
        origin=entry.origin,
    )
