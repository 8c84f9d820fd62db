"""Event log: records each event in the transaction that makes the event durable.

`biont_audit.chain` describes the numbers, the hashes and the two ends of the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from peewee import IntegrityError

from biont import Event, Service, Store
from biont.store import execute_sql, format_instant
from biont_audit.chain import ORIGIN, Link, Row, hash_row
from biont_audit.queries import (
    EventFilter,
    FollowingEvents,
    find_start_number,
    read_following,
    select_entry,
    select_events,
    select_newest,
    to_event,
)
from biont_audit.tables import LogEnds, LogEntry

_INSERT = (
    'INSERT INTO "event_logs" ("number", "event_id", "user_id", "event_type", "payload",'
    ' "created_at", "correlation_id", "causation_id", "hops", "origin", "hash") VALUES'
)
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_LARGEST_INSERT = 256
"""Largest number of rows in one statement."""

_EXACT_INSERT = 32
"""Up to this number of rows, each number has its own statement; above, powers of two."""

Columns = tuple[str | int | None, ...]
"""The columns of `Row`, and the hash."""


class EventLog:
    """The permanent record of all events.

    Args:
        store: the store of the log.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        # A cache of the head, which saves one query in each commit. Only the writer thread
        # uses the cache. A rollback leaves it wrong; `_append` notices, and reads the head.
        self._head = ORIGIN

    async def find_event(self, user_id: int, event_id: str) -> Event:
        """Return one event of a user.

        Raises:
            NotFound: the event does not exist, belongs to another user, or was deleted by
                retention.
        """
        return to_event(await self._store.read(select_entry, user_id, event_id))

    async def read_events(
        self,
        user_id: int,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> list[Event]:
        """Return events of a user, the oldest first.

        Args:
            user_id: the user.
            since: the earliest creation time; None for the beginning of the log.
            until: the creation time before which the result ends; None for no end.
            after: the id of an event; the result begins with the next event. The last
                event of a call leads to the next page.
            limit: the largest number of events.

        Raises:
            NotFound: the event `after` does not exist.
        """
        return await self._store.read(select_events, user_id, since, until, after, limit)

    async def read_newest(self, user_id: int, limit: int) -> list[Event]:
        """Return up to `limit` events of a user, the newest first."""
        return await self._store.read(select_newest, user_id, limit)

    async def find_end(self) -> int:
        """Return the number of the newest event of all users."""
        return await self._store.read(find_start_number, None)

    async def read_following(
        self,
        user_id: int,
        after: int,
        patterns: Sequence[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> FollowingEvents:
        """Return events of a user by number, for a reader that keeps its position.

        Args:
            user_id: the user.
            after: the position: the number of the last event that the reader has.
            patterns: event types and prefixes, of which one has to match.
            since: the earliest creation time; None for any.
            until: the creation time before which the events end; None for any.
            limit: the largest number of events.
        """
        choice = EventFilter(user_id, since=since, until=until, allowed=tuple(patterns))
        return await self._store.read(read_following, choice, after, limit)

    def record(self, events: Sequence[Event]) -> None:
        """Append events, inside a transaction; events that the log has are left out.

        The journal delivers events again after a crash, so some may be in the log already.
        """
        try:
            self._append(events)
        except IntegrityError:
            # Repeats are rare. A query for known events in each commit would cost more.
            self._append(_select_new_events(events))

    def _append(self, events: Sequence[Event]) -> None:
        head, entries = _make_entries(self._head, events)
        if not _move_head(self._head, head):
            self._head = _read_head()
            head, entries = _make_entries(self._head, events)
            _move_head(self._head, head)
        try:
            _insert_entries(entries)
        except IntegrityError:
            _truncate_after(self._head)
            raise
        self._head = head


EVENT_LOG = Service[EventLog]("event log", provider="audit")
"""The permanent record of all events."""


def _make_entries(previous: Link, events: Sequence[Event]) -> tuple[Link, list[Columns]]:
    """Return the new head, and the columns of the entries for `events`."""
    entries: list[Columns] = []
    number, hash_ = previous.number, previous.hash
    for event in events:
        number += 1
        row: Row = (
            number,
            event.id,
            event.user_id,
            event.event_type,
            event.payload_json,
            format_instant(event.created_at),
            event.correlation_id,
            event.causation_id,
            event.hops,
            event.origin,
        )
        hash_ = hash_row(hash_, row)
        entries.append((*row, hash_))
    return Link(number, hash_), entries


def _insert_entries(entries: Sequence[Columns]) -> None:
    # Each step of a statement releases the interpreter's lock, and has to win the lock back
    # from a busy event loop. So there are few statements, and of few lengths, which stay
    # prepared.
    first = 0
    while first < len(entries):
        count = len(entries) - first
        if count > _EXACT_INSERT:
            count = min(_LARGEST_INSERT, 1 << (count.bit_length() - 1))
        some = entries[first : first + count]
        execute_sql(_make_insert(count), *[value for entry in some for value in entry])
        first += count


@cache
def _make_insert(count: int) -> str:
    return f"{_INSERT} {', '.join([_ROW] * count)}"


def _read_head() -> Link:
    ends = LogEnds.get()
    return Link(ends.head_number, ends.head_hash)


def _move_head(previous: Link, head: Link) -> bool:
    """Move the head of the log to `head`; return False if the head is not at `previous`."""
    cursor = execute_sql(
        'UPDATE "event_log_ends" SET "head_number" = ?, "head_hash" = ?'
        ' WHERE "head_number" = ? AND "head_hash" = ?',
        head.number,
        head.hash,
        previous.number,
        previous.hash,
    )
    return cursor.rowcount == 1


def _truncate_after(head: Link) -> None:
    """Delete the entries that this transaction has written after `head`."""
    # The transaction goes on, because other events of the commit are not to blame: the
    # caller appends again, without the known events.
    LogEntry.delete().where(LogEntry.number > head.number).execute()
    LogEnds.update(head_number=head.number, head_hash=head.hash).execute()


def _select_new_events(events: Sequence[Event]) -> list[Event]:
    by_id = {event.id: event for event in events}
    known = LogEntry.select(LogEntry.event_id).where(LogEntry.event_id.in_(list(by_id)))
    for entry in known:
        del by_id[entry.event_id]
    return list(by_id.values())
