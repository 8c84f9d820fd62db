"""What a language model may do with the event log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue

from biont import Schema, Tool, ToolContext, make_tool
from biont.http import Instant
from biont.llm import ToolResult
from biont_audit.queries import EventFilter, select_page
from biont_audit.tables import LogEntry
from biont_audit.views import TypePattern, show_entry


class EventSearch(Schema):
    """Which events."""

    model_config = ConfigDict(extra="forbid")

    event_type: TypePattern = "*"
    since: Instant | None = None
    until: Instant | None = None
    limit: Annotated[int, Field(ge=1, le=50)] = 20


async def _search(context: ToolContext, search: EventSearch) -> ToolResult:
    entries = await context.workbench.store.read(
        select_page,
        EventFilter(context.user_id, search.event_type, search.since, search.until),
        search.limit,
        None,
    )
    return [_tell(entry) for entry in entries[: search.limit]]


def _tell(entry: LogEntry) -> JsonValue:
    shown = show_entry(entry)
    return {
        "event_type": shown.event_type,
        "created_at": shown.created_at.isoformat(),
        "payload": shown.payload,
    }


TOOLS: Sequence[Tool] = (
    make_tool(
        "search_events",
        "Find what has happened: the events of the user, the newest first.",
        EventSearch,
        _search,
    ),
)
