"""Tool for the event log: a model may search the events of its user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue

from biont import Schema, Tool, ToolContext, make_tool
from biont.events import mark_origin
from biont.http import Instant
from biont.llm import ToolResult
from biont_audit.event_list import select_entries
from biont_audit.queries import EventFilter
from biont_audit.tables import LogEntry
from biont_audit.views import TypePattern, make_event_view


class EventSearch(Schema):
    """A choice of events."""

    model_config = ConfigDict(extra="forbid")

    event_type: TypePattern = "*"
    since: Instant | None = None
    until: Instant | None = None
    limit: Annotated[int, Field(ge=1, le=50)] = 20


async def _search_events(context: ToolContext, search: EventSearch) -> ToolResult:
    found = await context.workbench.store.read(
        select_entries,
        EventFilter(context.user_id, search.event_type, search.since, search.until),
        search.limit,
        None,
    )
    for entry in found.rows[: search.limit]:
        mark_origin(entry.origin)
    return [_summarize_entry(entry) for entry in found.rows[: search.limit]]


def _summarize_entry(entry: LogEntry) -> JsonValue:
    view = make_event_view(entry)
    return {
        "event_type": view.event_type,
        "created_at": view.created_at.isoformat(),
        "payload": view.payload,
    }


TOOLS: Sequence[Tool] = (
    make_tool(
        "search_events",
        "Find what has happened: the events of the user, the newest first.",
        EventSearch,
        _search_events,
    ),
)
