"""Event patterns: the event types to which a webhook subscribes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

EventPattern = Annotated[
    str,
    Field(
        pattern=r"^(\*|[a-z][a-z0-9_]*\*?)$",
        max_length=100,
        description="An event type, a prefix (`task_*`), or `*` for all event types.",
    ),
]
EventPatterns = Annotated[list[EventPattern], Field(min_length=1, max_length=100)]
