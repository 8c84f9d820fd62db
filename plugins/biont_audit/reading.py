"""What is read from the log, inside a store function; lists go by time, then by number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from peewee import Expression, ModelSelect

from biont import Event
from biont.exceptions import NotFound
from biont_audit.tables import LogEnds, LogEntry

_BEHIND_NAMES = "{"
"""Sorts behind every character that the name of an event type may have."""


# The ways of lists are not for long reads by number, which any index would only slow down.
_FOLLOWING = """
    SELECT * FROM event_logs NOT INDEXED
    WHERE number > ?1 AND number <= ?2 AND event_type GLOB ?3 AND (?4 IS NULL OR user_id = ?4)
        AND (?5 IS NULL OR created_at >= ?5) AND (?6 IS NULL OR created_at < ?6)
    ORDER BY number
"""
_SPAN = 1000


@dataclass(frozen=True)
class Choice:
    """Which entries are asked for.

    Attributes:
        user_id: whose events; None for everybody's.
        event_type: their type, a prefix (``task_*``), or ``*`` for all.
        since: emitted at this instant or later; None for the beginning.
        until: emitted before this instant; None for the end.
        correlation_id: what they belong to; None for anything.
    """

    user_id: int | None
    event_type: str = "*"
    since: datetime | None = None
    until: datetime | None = None
    correlation_id: str | None = None

    def query(self) -> ModelSelect[LogEntry]:
        """Return the query of these entries, in no order."""
        query = LogEntry.select()
        for condition in self._conditions():
            query = query.where(condition)
        return query

    def _conditions(self) -> Iterator[Expression]:
        if self.user_id is not None:
            yield LogEntry.user_id == self.user_id
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

    def following(self, after: int, last: int) -> Iterable[LogEntry]:
        """Return these entries from behind the number `after` up to `last`, in this order."""
        since = None if self.since is None else _as_stored(self.since)
        until = None if self.until is None else _as_stored(self.until)
        found: Iterable[LogEntry] = LogEntry.raw(
            _FOLLOWING, after, last, self.event_type, self.user_id, since, until
        )
        return found


def select_all(choice: Choice) -> Iterator[LogEntry]:
    """Yield all entries in the order of the log, a few of them in memory at a time."""
    ends = LogEnds.get()
    for first in range(ends.anchor_number, ends.head_number, _SPAN):
        yield from choice.following(first, min(first + _SPAN, ends.head_number))


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


def select_events(
    user_id: int,
    since: datetime | None,
    until: datetime | None,
    after: str | None,
    limit: int,
) -> list[Event]:
    """Return events of a user, the oldest first; see `biont_audit.EventLog.read_events`."""
    query = Choice(user_id, since=since, until=until).query()
    if after is not None:
        place = select_entry(user_id, after)
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


def _as_stored(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(" ")


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
