"""What is read from the log, inside a store function; lists go by time, then by number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from peewee import Expression, ModelSelect, fn

from biont import Event
from biont.events import get_prefix
from biont.exceptions import InputProblem, InvalidInput, NotFound
from biont.store import format_instant
from biont_audit.tables import LogEnds, LogEntry

# The ways of lists are not for long reads by number, which any index would only slow down.
_FOLLOWING = """
    SELECT * FROM event_logs NOT INDEXED
    WHERE number > ? AND number <= ? AND event_type GLOB ? AND (? IS NULL OR user_id = ?)
        AND (? IS NULL OR created_at >= ?) AND (? IS NULL OR created_at < ?)
    ORDER BY number LIMIT ?
"""
_SPAN = 10_000
"""How many numbers one long read looks at, at most."""


@dataclass(frozen=True)
class EventFilter:
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
        prefix = get_prefix(self.event_type)
        if prefix is None:
            yield LogEntry.event_type == self.event_type
        elif prefix:
            # No range, which would tempt SQLite to sort all that have the prefix for each page.
            yield fn.SUBSTR(LogEntry.event_type, 1, len(prefix)) == prefix
        if self.since is not None:
            yield LogEntry.created_at >= self.since.astimezone(UTC)
        if self.until is not None:
            yield LogEntry.created_at < self.until.astimezone(UTC)
        if self.correlation_id is not None:
            yield LogEntry.correlation_id == self.correlation_id

    def following(self, after: int, last: int, limit: int) -> list[LogEntry]:
        """Return up to `limit` of these entries, from behind the number `after` to `last`."""
        since = None if self.since is None else format_instant(self.since)
        until = None if self.until is None else format_instant(self.until)
        choice = (self.event_type, self.user_id, self.user_id, since, since, until, until)
        return list(LogEntry.raw(_FOLLOWING, after, last, *choice, limit))


@dataclass(frozen=True)
class LogSlice:
    """A part of the log, in the order of its numbers.

    Attributes:
        entries: those of a choice that are in it.
        last: the number that it reaches to.
        has_more: whether the log goes on behind it.
    """

    entries: Sequence[LogEntry]
    last: int
    has_more: bool


def read_part(choice: EventFilter, after: int, limit: int) -> LogSlice:
    """Return what follows behind the number `after`: up to `limit` entries.

    Raises:
        InvalidInput: retention has removed what follows.
    """
    ends = LogEnds.get()
    _check_place(after, ends)
    return _read_up_to(ends, choice, after, limit)


def read_all(choice: EventFilter) -> Iterator[LogEntry]:
    """Yield all entries in the order of the log, a few of them in memory at a time."""
    part = LogSlice([], 0, has_more=True)
    while part.has_more:
        ends = LogEnds.get()
        part = _read_up_to(ends, choice, max(part.last, ends.anchor_number), 1000)
        yield from part.entries


def _read_up_to(ends: LogEnds, choice: EventFilter, after: int, limit: int) -> LogSlice:
    last = min(after + _SPAN, ends.head_number)
    entries = choice.following(after, last, limit)
    if len(entries) == limit:
        last = entries[-1].number
    return LogSlice(entries, last, has_more=last < ends.head_number)


def find_place(after: int | None) -> int:
    """Return the number behind which a reader begins; None stands for the end of the log.

    Raises:
        InvalidInput: what follows on `after` is not there any more, or not there yet.
    """
    ends = LogEnds.get()
    if after is None:
        return int(ends.head_number)
    _check_place(after, ends)
    return after


def _check_place(after: int, ends: LogEnds) -> None:
    if after < ends.anchor_number:
        problem = f"the log begins behind {ends.anchor_number}; what follows on {after} is removed"
    elif after > ends.head_number:
        problem = f"the log ends with {ends.head_number}; begin anew"
    else:
        return
    raise InvalidInput(InputProblem(problem, "last_event_id"))


def select_page(choice: EventFilter, limit: int, before: int | None) -> list[LogEntry]:
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
    query = EventFilter(user_id, since=since, until=until).query()
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


def to_event(entry: LogEntry) -> Event:
    """Return the event that an entry records."""
    return Event(
        id=entry.event_id,
        user_id=entry.user_id,
        event_type=entry.event_type,
        payload=orjson.loads(entry.payload),
        created_at=entry.created_at,
        correlation_id=entry.correlation_id,
        causation_id=entry.causation_id,
        hops=entry.hops,
        payload_json=entry.payload,
    )
