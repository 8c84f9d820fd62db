"""The log: each event is written in the transaction that makes it durable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from peewee import IntegrityError

from biont import Event, Service, Store
from biont.store import format_instant
from biont_audit.chain import ORIGIN, Link, Row, hash_row
from biont_audit.queries import select_entry, select_events, to_event
from biont_audit.tables import LogEnds, LogEntry, execute

_INSERT = (
    'INSERT INTO "event_logs" ("number", "event_id", "user_id", "event_type", "payload",'
    ' "created_at", "correlation_id", "causation_id", "hops", "hash") VALUES'
)
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_LARGEST_INSERT = 256
"""How many rows one statement has at most."""

_EXACT_INSERT = 32
"""Up to how many rows there is a statement for each number; more take a power of two at once."""


class EventLog:
    """The permanent record of all events.

    Args:
        store: where it is kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        # Only the writing thread uses it; wrong after a rollback, and then read again.
        self._head = ORIGIN

    async def find_event(self, user_id: int, event_id: str) -> Event:
        """Return one event of a user.

        Raises:
            NotFound: there is none of that id, it is somebody else's, or retention has
                removed it.
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
            user_id: whose events.
            since: only those emitted at this instant or later.
            until: only those emitted before this instant.
            after: only what comes behind the event of this id; the last one of a call
                leads to the next ones.
            limit: how many at most.

        Raises:
            NotFound: there is no event `after`.
        """
        return await self._store.read(select_events, user_id, since, until, after, limit)

    def record(self, events: Sequence[Event]) -> None:
        """Write `events`, inside a transaction; what stands there already changes nothing."""
        try:
            self._append(events)
        except IntegrityError:
            self._append(_leave_out_known(events))

    def _append(self, events: Sequence[Event]) -> None:
        head, values = _chain(self._head, events)
        if not _move_head(self._head, head):
            self._head = _read_head()
            head, values = _chain(self._head, events)
            _move_head(self._head, head)
        try:
            _insert(values)
        except IntegrityError:
            _take_back(self._head)
            raise
        self._head = head


EVENT_LOG = Service[EventLog]("event log", provider="audit")
"""The permanent record of all events."""


def _chain(previous: Link, events: Sequence[Event]) -> tuple[Link, list[tuple[object, ...]]]:
    """Return the new head, and the entries of `events` as they are stored."""
    entries: list[tuple[object, ...]] = []
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
        )
        hash_ = hash_row(hash_, row)
        entries.append((*row, hash_))
    return Link(number, hash_), entries


def _insert(entries: Sequence[tuple[object, ...]]) -> None:
    # Each step of a statement gives the interpreter's lock away and has to win it back from
    # a busy event loop: so few statements, and of few lengths, which stay prepared.
    first = 0
    while first < len(entries):
        count = len(entries) - first
        if count > _EXACT_INSERT:
            count = min(_LARGEST_INSERT, 1 << (count.bit_length() - 1))
        some = entries[first : first + count]
        execute(_make_insert(count), [value for entry in some for value in entry])
        first += count


@cache
def _make_insert(count: int) -> str:
    return f"{_INSERT} {', '.join([_ROW] * count)}"


def _read_head() -> Link:
    ends = LogEnds.get()
    return Link(ends.head_number, ends.head_hash)


def _move_head(previous: Link, head: Link) -> bool:
    """Say where the log ends from now on, provided that it has ended at `previous`."""
    cursor = execute(
        'UPDATE "event_log_ends" SET "head_number" = ?, "head_hash" = ?'
        ' WHERE "head_number" = ? AND "head_hash" = ?',
        [head.number, head.hash, previous.number, previous.hash],
    )
    return cursor.rowcount == 1


def _take_back(head: Link) -> None:
    """Undo what was written behind `head` in this transaction."""
    LogEntry.delete().where(LogEntry.number > head.number).execute()
    LogEnds.update(head_number=head.number, head_hash=head.hash).execute()


def _leave_out_known(events: Sequence[Event]) -> list[Event]:
    by_id = {event.id: event for event in events}
    known = LogEntry.select(LogEntry.event_id).where(LogEntry.event_id.in_(list(by_id)))
    for entry in known:
        del by_id[entry.event_id]
    return list(by_id.values())
