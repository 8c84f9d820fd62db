"""What is read from the log, inside a store function; lists go by time, then by number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from peewee import Expression, ModelSelect

from biont import Event
from biont.exceptions import NotFound
from biont_audit.tables import LogEntry

_BEHIND_NAMES = "{"
"""Sorts behind every character that the name of an event type may have."""


@dataclass(frozen=True)
class Choice:
    """Which entries of a user are asked for.

    Attributes:
        user_id: whose events.
        event_type: their type, a prefix (``task_*``), or ``*`` for all.
        since: emitted at this instant or later; None for the beginning.
        until: emitted before this instant; None for the end.
        correlation_id: what they belong to; None for anything.
    """

    user_id: int
    event_type: str = "*"
    since: datetime | None = None
    until: datetime | None = None
    correlation_id: str | None = None

    def query(self) -> ModelSelect[LogEntry]:
        """Return the query of these entries, in no order."""
        return LogEntry.select().where(LogEntry.user_id == self.user_id, *self._conditions())

    def _conditions(self) -> Iterator[Expression]:
        if not self.event_type.endswith("*"):
            yield LogEntry.event_type == self.event_type
        elif prefix := self.event_type[:-1]:
            yield LogEntry.event_type >= prefix
            yield LogEntry.event_type < prefix + _BEHIND_NAMES
        if self.since is not None:
            yield LogEntry.created_at >= self.since.astimezone(UTC)
        if self.until is not None:
            yield LogEntry.created_at < self.until.astimezone(UTC)
        if self.correlation_id is not None:
            yield LogEntry.correlation_id == self.correlation_id


def select_page(choice: Choice, limit: int, before: int | None) -> list[LogEntry]:
    """Return up to ``limit + 1`` entries, the newest first.

    Args:
        choice: which ones.
        limit: how many a page has; one more tells that there is another page.
        before: only those that come before the entry of this number.
    """
    query = choice.query()
    if before is not None:
        place = LogEntry.get_or_none(LogEntry.number == before)
        if place is None:  # removed by retention, and all before it as well
            return []
        query = query.where(
            LogEntry.created_at <= place.created_at,
            (LogEntry.created_at < place.created_at) | (LogEntry.number < place.number),
        )
    newest_first = query.order_by(LogEntry.created_at.desc(), LogEntry.number.desc())
    return list(newest_first.limit(limit + 1))


def select_events(choice: Choice, after: str | None, limit: int) -> list[Event]:
    """Return up to `limit` events, the oldest first.

    Args:
        choice: which ones.
        after: only those that come behind the event of this id.
        limit: how many at most.

    Raises:
        NotFound: there is no event `after`.
    """
    query = choice.query()
    if after is not None:
        place = select_entry(choice.user_id, after)
        query = query.where(
            LogEntry.created_at >= place.created_at,
            (LogEntry.created_at > place.created_at) | (LogEntry.number > place.number),
        )
    oldest_first = query.order_by(LogEntry.created_at, LogEntry.number)
    return [to_event(entry) for entry in oldest_first.limit(limit)]


def select_entry(user_id: int, event_id: str) -> LogEntry:
    """Return the entry of one event of a user.

    Raises:
        NotFound: there is none.
    """
    entry = LogEntry.get_or_none(LogEntry.event_id == event_id, LogEntry.user_id == user_id)
    if entry is None:
        raise NotFound(f"there is no event {event_id}")
    return entry


def to_event(entry: LogEntry) -> Event:
    """Return the event that an entry records."""
    return Event(
        entry.event_id,
        entry.user_id,
        entry.event_type,
        orjson.loads(entry.payload),
        entry.created_at,
        entry.correlation_id,
        entry.causation_id,
        entry.hops,
        entry.payload,
    )
