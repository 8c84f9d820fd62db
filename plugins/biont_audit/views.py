"""Events as clients see them."""

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
    """An event as its user sees it."""

    id: str
    number: int = Field(description="Its place in the log, by which the stream goes on.")
    user_id: int
    event_type: str
    payload: dict[str, JsonValue]
    created_at: datetime
    correlation_id: str
    causation_id: str | None


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
