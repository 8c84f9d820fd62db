"""Queries of the event log, for store functions; `biont_audit.event_list` has the list of events.

Short reads are ordered by time, then by number. Long reads (stream, export) are ordered by number.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import reduce

import orjson
from peewee import Expression, ModelSelect, fn

from biont import Event, Request
from biont.events import get_prefix
from biont.exceptions import InputProblem, InvalidInput, NotFound
from biont.store import dump_json, format_instant
from biont_audit.tables import LogEnds, LogEntry

# NOT INDEXED, because a long read goes through the rows in the order of the primary key. The
# indexes are for lists; SQLite would take one of them here, and sort all rows by number.
_SELECT_FOLLOWING = """
    SELECT * FROM event_logs NOT INDEXED
    WHERE number > ? AND number <= ? AND event_type GLOB ?
        AND (? IS NULL OR EXISTS (SELECT 1 FROM json_each(?) WHERE event_type GLOB value))
        AND (? IS NULL OR user_id = ?)
        AND (? IS NULL OR created_at >= ?) AND (? IS NULL OR created_at < ?)
    ORDER BY number LIMIT ?
"""
_LARGEST_SPAN = 10_000
"""Largest number of rows that one long read looks at, matching or not."""


@dataclass(frozen=True)
class EventFilter:
    """Choice of entries.

    Attributes:
        user_id: the user; None for all users.
        event_type: an event type, a prefix (``task_*``), or ``*`` for all.
        since: the earliest creation time; None for the beginning.
        until: the creation time before which the choice ends; None for the end.
        correlation_id: a correlation id; None for any.
        allowed: further patterns of event types, of which one has to match; None for any type.
    """

    user_id: int | None
    event_type: str = "*"
    since: datetime | None = None
    until: datetime | None = None
    correlation_id: str | None = None
    allowed: tuple[str, ...] | None = None

    @classmethod
    def of_request(cls, request: Request, event_type: str) -> EventFilter:
        """Return the choice of the events that the key of a request may see.

        Raises:
            Forbidden: the key may see none of the events.
        """
        user_id, patterns = request.user_id, request.choose_events(event_type)
        if len(patterns) == 1:
            return cls(user_id, patterns[0])
        return cls(user_id, event_type, allowed=tuple(patterns))

    # One bound of each kind: of two, SQLite would use any one with the index, and read all rows
    # up to the other.
    def begin_with(self, at: datetime) -> EventFilter:
        """Return the choice of entries from `at` on."""
        return replace(self, since=at if self.since is None else max(self.since, at))

    def end_with(self, at: datetime) -> EventFilter:
        """Return the choice of entries up to `at`, inclusive."""
        end = at + timedelta(microseconds=1)  # the table's unit of time
        return replace(self, until=end if self.until is None else min(self.until, end))

    def make_query(self) -> ModelSelect[LogEntry]:
        """Return the query of the chosen entries, without an order."""
        query = LogEntry.select()
        for condition in self._conditions():
            query = query.where(condition)
        return query

    def _conditions(self) -> Iterator[Expression]:
        if self.user_id is not None:
            yield LogEntry.user_id == self.user_id
        yield from _match_types(self.event_type)
        if self.allowed is not None:
            each = (condition for pattern in self.allowed for condition in _match_types(pattern))
            yield reduce(operator.or_, each)
        if self.since is not None:
            yield LogEntry.created_at >= self.since.astimezone(UTC)
        if self.until is not None:
            yield LogEntry.created_at < self.until.astimezone(UTC)
        if self.correlation_id is not None:
            yield LogEntry.correlation_id == self.correlation_id

    def select_following(self, after: int, last: int, limit: int) -> list[LogEntry]:
        """Return up to `limit` chosen entries with numbers after `after`, up to `last`."""
        since = None if self.since is None else format_instant(self.since)
        until = None if self.until is None else format_instant(self.until)
        allowed = None if self.allowed is None else dump_json(self.allowed)
        types = (self.event_type, allowed, allowed)
        choice = (*types, self.user_id, self.user_id, since, since, until, until)
        return list(LogEntry.raw(_SELECT_FOLLOWING, after, last, *choice, limit))


def _match_types(pattern: str) -> Iterator[Expression]:
    """Yield the condition of a pattern of event types; none for all types."""
    prefix = get_prefix(pattern)
    if prefix is None:
        yield LogEntry.event_type == pattern
    elif prefix:
        # Not a range of event types: SQLite would take the index of types, and sort all
        # entries with the prefix by time for each page.
        yield fn.SUBSTR(LogEntry.event_type, 1, len(prefix)) == prefix


@dataclass(frozen=True)
class LogSlice:
    """Part of the log, by number.

    Attributes:
        entries: the chosen entries in the part.
        last: the number of the last entry in the part, chosen or not.
        has_more: whether the log has entries after the part.
    """

    entries: Sequence[LogEntry]
    last: int
    has_more: bool


def read_log_slice(choice: EventFilter, after: int, limit: int) -> LogSlice:
    """Return up to `limit` chosen entries after the number `after`.

    Raises:
        InvalidInput: retention has deleted the next entries.
    """
    ends = LogEnds.get()
    _check_start_number(after, ends)
    return _read_up_to(ends, choice, after, limit)


@dataclass(frozen=True)
class FollowingEvents:
    """Events after a position.

    Attributes:
        events: the events with their numbers.
        last: the position after these events.
        has_more: whether the log has entries after `last`.
        lost_until: the number up to which retention has deleted events that the reader did not
            have; None for no loss.
    """

    events: Sequence[tuple[int, Event]]
    last: int
    has_more: bool
    lost_until: int | None


def read_following(choice: EventFilter, after: int, limit: int) -> FollowingEvents:
    """Return up to `limit` chosen events after the number `after`."""
    ends = LogEnds.get()
    lost = int(ends.anchor_number) if after < ends.anchor_number else None
    start = min(max(after, ends.anchor_number), ends.head_number)
    part = _read_up_to(ends, choice, start, limit)
    events = [(entry.number, to_event(entry)) for entry in part.entries]
    return FollowingEvents(events, part.last, part.has_more, lost)


def iterate_entries(choice: EventFilter) -> Iterator[LogEntry]:
    """Yield all chosen entries by number, with a slice in memory at a time."""
    part = LogSlice([], 0, has_more=True)
    while part.has_more:
        ends = LogEnds.get()
        part = _read_up_to(ends, choice, max(part.last, ends.anchor_number), 1000)
        yield from part.entries


def _read_up_to(ends: LogEnds, choice: EventFilter, after: int, limit: int) -> LogSlice:
    last = min(after + _LARGEST_SPAN, ends.head_number)
    entries = choice.select_following(after, last, limit)
    if len(entries) == limit:
        last = entries[-1].number
    return LogSlice(entries, last, has_more=last < ends.head_number)


def find_start_number(after: int | None) -> int:
    """Return the number after which a reader begins: `after`, or the end of the log for None.

    Raises:
        InvalidInput: the entries after `after` are deleted, or the log does not reach it.
    """
    ends = LogEnds.get()
    if after is None:
        return int(ends.head_number)
    _check_start_number(after, ends)
    return after


def _check_start_number(after: int, ends: LogEnds) -> None:
    if after < ends.anchor_number:
        problem = (
            f"the log begins after {ends.anchor_number}; retention has deleted the events after "
            f"{after}"
        )
    elif after > ends.head_number:
        problem = f"the log ends with {ends.head_number}; begin with 0 or without a number"
    else:
        return
    raise InvalidInput(InputProblem(problem, "last_event_id"))


def select_events(
    user_id: int,
    since: datetime | None,
    until: datetime | None,
    after: str | None,
    limit: int,
) -> list[Event]:
    """Return events of a user, the oldest first; see `EventLog.read_events`."""
    query = _order_events(user_id, since, until, after)
    return [to_event(entry) for entry in query.limit(limit)]


def select_newest(user_id: int, limit: int) -> list[Event]:
    """Return up to `limit` events of a user, the newest first."""
    newest_first = (LogEntry.created_at.desc(), LogEntry.number.desc())
    query = EventFilter(user_id).make_query().order_by(*newest_first)
    return [to_event(entry) for entry in query.limit(limit)]


def count_events(
    user_id: int, since: datetime, until: datetime, after: str | None, limit: int
) -> tuple[int, str | None]:
    """Count events of a user, the oldest first, as a store function.

    Args:
        user_id: the user.
        since: the earliest creation time.
        until: the creation time before which the range ends.
        after: the id of an event; the count begins with the next event. None for the first.
        limit: the largest number of events to count.

    Returns:
        The number, and the id of the last counted event if `limit` is reached.
    """
    query = _order_events(user_id, since, until, after)
    # Only the index is read.
    numbers = query.select(LogEntry.number).limit(limit)
    last: int | None = numbers.offset(limit - 1).limit(1).scalar()
    if last is None:
        return int(numbers.count()), None
    return limit, str(LogEntry.get_by_id(last).event_id)


def _order_events(
    user_id: int, since: datetime | None, until: datetime | None, after: str | None
) -> ModelSelect[LogEntry]:
    """Return the query of the events of a user after an event, the oldest first."""
    choice = EventFilter(user_id, since=since, until=until)
    if after is None:
        query = choice.make_query()
    else:
        place = select_entry(user_id, after)
        query = choice.begin_with(place.created_at).make_query()
        query = query.where(
            (LogEntry.created_at > place.created_at) | (LogEntry.number > place.number)
        )
    return query.order_by(LogEntry.created_at, LogEntry.number)


def select_entry(user_id: int, event_id: str) -> LogEntry:
    """Return the entry of one event of a user.

    Raises:
        NotFound: the user has no such event.
    """
    entry = LogEntry.get_or_none(LogEntry.event_id == event_id, LogEntry.user_id == user_id)
    if entry is None:
        raise NotFound(f"there is no event {event_id}")
    return entry


def to_event(entry: LogEntry) -> Event:
    """Return the recorded event."""
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
        origin=entry.origin,
    )
