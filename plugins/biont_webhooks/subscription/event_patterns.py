"""Which types of event a webhook asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

EventPattern = Annotated[
    str,
    Field(
        pattern=r"^(\*|[a-z][a-z0-9_]*\*?)$",
        max_length=100,
        description="An event type, a prefix (`task_*`), or `*` for all.",
    ),
]
EventPatterns = Annotated[list[EventPattern], Field(min_length=1, max_length=100)]


def find_pattern(patterns: Sequence[str], event_type: str) -> str | None:
    """Return the first of some patterns that fits a type: itself, a prefix (``task_*``), ``*``."""
    for pattern in patterns:
        if event_type == pattern or (pattern[-1] == "*" and event_type.startswith(pattern[:-1])):
            return pattern
    return None
