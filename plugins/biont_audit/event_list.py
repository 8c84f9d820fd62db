"""List of events, newest first, by any combination of filters.

An index in the order of time exists for each user, event type and correlation id. A pattern of
event types has no such order. So the entries of each matching type are merged, if the types are
few; otherwise, and for a pattern or type within one correlation id, a page is a bounded scan.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from peewee import Expression, ModelSelect

from biont.events import get_prefix
from biont.store import Scan, execute_sql, find_scan_end
from biont_audit.queries import EventFilter
from biont_audit.tables import LogEntry

# One step in the index for each type, instead of a step for each entry.
_SELECT_TYPES = """
    WITH RECURSIVE types (name) AS (
        SELECT * FROM (
            SELECT event_type FROM event_logs
            WHERE user_id = ? AND event_type >= ? AND event_type < ?
            ORDER BY event_type LIMIT 1
        )
        UNION ALL
        SELECT (
            SELECT event_type FROM event_logs
            WHERE user_id = ? AND event_type > types.name AND event_type < ?
            ORDER BY event_type LIMIT 1
        )
        FROM types WHERE types.name IS NOT NULL
    )
    SELECT name FROM types WHERE name IS NOT NULL LIMIT ?
"""
_LARGEST_UNION = 32
"""Largest number of event types whose entries are read one type after the other."""


def select_entries(choice: EventFilter, limit: int, before: int | None) -> Scan[LogEntry]:
    """Return up to ``limit + 1`` entries, the newest first.

    Args:
        choice: the choice of entries.
        limit: the size of a page; one more entry shows that there is another page.
        before: the number of the last entry of the page before; None for the first page.
    """
    conditions: list[Expression] = []
    if before is not None:
        place = LogEntry.get_or_none(LogEntry.number == before)
        if place is None:  # deleted by retention, with all entries before
            return Scan([])
        choice = choice.end_with(place.created_at)
        conditions = [(LogEntry.created_at < place.created_at) | (LogEntry.number < place.number)]
    types = _find_types(choice)
    if types is not None:
        return Scan(_merge_types(choice, types, conditions, limit + 1))
    is_indexed = choice.event_type == "*" or (
        get_prefix(choice.event_type) is None and choice.correlation_id is None
    )
    if is_indexed and choice.allowed is None:
        return Scan(list(_order(choice.make_query(), conditions).limit(limit + 1)))
    return _scan(choice, conditions, limit)


def _order(
    query: ModelSelect[LogEntry], conditions: Sequence[Expression]
) -> ModelSelect[LogEntry]:
    """Return `query` with further conditions, the newest entries first."""
    for condition in conditions:
        query = query.where(condition)
    return query.order_by(LogEntry.created_at.desc(), LogEntry.number.desc())


def _find_types(choice: EventFilter) -> list[str] | None:
    """Return the event types of the user that the pattern matches; None for no such list."""
    prefix = get_prefix(choice.event_type)
    if choice.user_id is None or choice.correlation_id is not None:
        return None
    if not prefix or choice.allowed is not None:
        return None
    range_ = (prefix, f"{prefix}\U0010ffff")  # up to the last text with this prefix
    first, further = (choice.user_id, *range_), (choice.user_id, range_[1])
    found = execute_sql(_SELECT_TYPES, *first, *further, _LARGEST_UNION + 1).fetchall()
    return [name for (name,) in found] if len(found) <= _LARGEST_UNION else None


def _merge_types(
    choice: EventFilter, types: Sequence[str], conditions: Sequence[Expression], limit: int
) -> list[LogEntry]:
    """Return the newest entries of all `types`: each type has an index in the order of time."""
    numbers: list[tuple[datetime, int]] = []
    for event_type in types:
        query = _order(replace(choice, event_type=event_type).make_query(), conditions)
        keys = query.select(LogEntry.created_at, LogEntry.number).limit(limit)
        numbers += cast("Iterable[tuple[datetime, int]]", keys.tuples().iterator())
    newest = [number for _, number in heapq.nlargest(limit, numbers)]
    entries = LogEntry.select().where(LogEntry.number.in_(newest))
    return list(_order(entries, []))


def _scan(choice: EventFilter, conditions: Sequence[Expression], limit: int) -> Scan[LogEntry]:
    """Return the newest entries among those that one page may look at."""
    everything = _order(replace(choice, event_type="*", allowed=None).make_query(), conditions)
    end = find_scan_end(everything, LogEntry.number)
    if end is not None:
        last = LogEntry.get(LogEntry.number == end)
        choice = choice.begin_with(last.created_at)
        conditions = [
            *conditions,
            (LogEntry.created_at > last.created_at) | (LogEntry.number >= last.number),
        ]
    return Scan(list(_order(choice.make_query(), conditions).limit(limit + 1)), end)
