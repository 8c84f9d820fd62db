"""Writer: the one thread that writes, with group commit.

A commit with ``synchronous=FULL`` costs a flush of the disk, however much is written. So
all writes that arrive during a commit share the next transaction, up to `BATCH_LIMIT`:

    submitted --gathered--> applied --committed--> acknowledged
                               |----function raised----> refused, with that error
                               |----commit failed------> refused, with StoreUnavailable

Each write runs in a savepoint, so that a refused write undoes only its own changes. A write
that is alone in its transaction needs no savepoint: the transaction is undone instead.

The new events of all writes come last in the transaction. Events are numbered there, in the
order of their commits, shown to the transactional handlers, and appended to the journal.
A process that does not own the database puts its events into the inbox instead.

A future is resolved only after the commit. A crash before the commit leaves nothing of the
batch, and nothing was acknowledged. A crash after the commit leaves the whole batch, although
some callers were not told: a repeated call then writes again.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from peewee import Database, DatabaseError, OperationalError

from biont.event import Event, EventFactory
from biont.exceptions import StoreUnavailable
from biont.store.database import activate, savepoint, translate_error
from biont.store.inbox import insert_inbox_events, take_inbox_events
from biont.store.journal import (
    CallTransactionalHandlers,
    JournalEntry,
    append_entries,
    journal_all,
    read_last_sequence,
)
from biont.store.transaction import Transaction

BATCH_LIMIT = 1000
"""The most writes in one commit: the first write of a batch waits for the last."""

_WATCH_INTERVAL = 0.25
"""The longest time until a change by another process is noticed, in seconds."""


@dataclass(frozen=True, slots=True)
class TransactionCall:
    """A function with the transaction and the context variables that the function gets."""

    function: Callable[[Transaction], object]
    transaction: Transaction
    context: contextvars.Context

    def run(self, database: Database) -> object:
        """Return the result of the function; tables mean `database` meanwhile."""
        return self.context.run(self._run_active, database)

    def _run_active(self, database: Database) -> object:
        with activate(database):
            return self.function(self.transaction)


@dataclass(slots=True)
class Write:
    """A submitted write, with its result or error.

    Attributes:
        call: the function to run; None for a write of nothing but new events.
        events: the new events; the function may add events.
        future: resolved with the result or the error after the transaction.
    """

    call: TransactionCall | None
    events: list[Event]
    future: asyncio.Future[object]
    result: object = None
    error: Exception | None = None

    def refuse(self, error: Exception) -> None:
        """Undo this write alone, because of `error`."""
        self.error = error
        self.events.clear()
        raise _Refused from error


class _Refused(Exception):
    """A write has failed; raised through its savepoint, which undoes the changes."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The result of one transaction.

    Attributes:
        writes: the writes of the batch, each with its result or error.
        entries: the new events, in order.
        redelivered: events that transactional handlers have to see again, by handler.
        callbacks: functions that the transactional handlers want called after the commit.
    """

    writes: Sequence[Write]
    entries: Sequence[JournalEntry] = ()
    redelivered: Mapping[str, Sequence[JournalEntry]] = field(default_factory=dict)
    callbacks: Sequence[Callable[[], None]] = ()


class Writer:
    """The thread that runs writes, one batch after another.

    Args:
        database: opened on the writer's thread.
        factory: makes the transaction for the transactional handlers.
        on_commit: called on that thread after each batch, also a failed one.
        on_foreign_change: called on that thread when another process has written.
        is_owner: whether this process runs the workbench; the events of other processes
            go to the inbox.

    Attributes:
        call_handlers: calls the transactional handlers with new events, before the commit.
    """

    def __init__(
        self,
        database: Database,
        factory: EventFactory,
        on_commit: Callable[[Committed], None],
        on_foreign_change: Callable[[], None],
        *,
        is_owner: bool,
    ) -> None:
        self.call_handlers: CallTransactionalHandlers = journal_all
        self._database = database
        self._factory = factory
        self._on_commit = on_commit
        self._on_foreign_change = on_foreign_change
        self._is_owner = is_owner
        self._waiting: SimpleQueue[Sequence[Write] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="biont-writer", daemon=True)
        self._last_sequence = 0
        self._version = 0
        self._watch_at = 0.0
        self._has_inbox = is_owner

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after all submitted writes; block until then."""
        self._waiting.put(None)
        self._thread.join()

    def submit(self, writes: Sequence[Write]) -> None:
        """Add `writes` to the next transaction."""
        self._waiting.put(writes)

    def _run(self) -> None:
        with self._database.connection_context(), activate(self._database):
            self._last_sequence = read_last_sequence()
            self._version = self._read_version()
            open_for_more = True
            while open_for_more:
                batch, open_for_more = self._gather()
                if batch or self._has_inbox:
                    self._on_commit(self._commit(batch))

    def _gather(self) -> tuple[list[Write], bool]:
        """Return the submitted writes, and False when the thread is to end."""
        batch: list[Write] = []
        try:
            writes = self._waiting.get(timeout=_WATCH_INTERVAL)
            while writes is not None:
                batch += writes
                if len(batch) >= BATCH_LIMIT:
                    return batch, True
                writes = self._waiting.get_nowait()
        except Empty:
            # Under load `_commit` looks instead, inside the transaction.
            if not batch:
                self._notice_foreign_change()
            return batch, True
        return batch, False

    def _commit(self, batch: list[Write]) -> Committed:
        # A write whose caller gave up before the transaction is not made.
        batch = [write for write in batch if not write.future.cancelled()]
        try:
            # IMMEDIATE, because upgrading a read lock later would fail at once when another
            # process writes, in spite of the busy timeout.
            with self._database.atomic("IMMEDIATE"):
                if time.monotonic() >= self._watch_at:
                    self._notice_foreign_change()
                events = take_inbox_events() if self._has_inbox else []
                for write in batch:
                    self._apply(write, alone=len(batch) == 1 and not events)
                    events += write.events
                committed = self._save_events(batch, events)
        except _Refused:  # by a write without a savepoint, the only one of the batch
            return Committed(batch)
        except (DatabaseError, sqlite3.Error) as error:
            for write in batch:
                write.error = StoreUnavailable(f"nothing was written: {error}; try again")
            return Committed(batch)
        # Only now, because a failed commit leaves the events in the inbox.
        self._has_inbox = False
        if committed.entries:
            self._last_sequence = committed.entries[-1].sequence
        return committed

    def _save_events(self, batch: list[Write], events: list[Event]) -> Committed:
        """Make new events part of the transaction: numbered, handled and in the journal."""
        if not events:
            return Committed(batch)
        if not self._is_owner:
            insert_inbox_events(events)
            return Committed(batch)
        entries = [
            JournalEntry(number, event)
            for number, event in enumerate(events, self._last_sequence + 1)
        ]
        transaction = Transaction(self._factory, can_defer=True)
        result = self.call_handlers(transaction, entries)
        if result.journaled:
            append_entries(self._database, result.journaled)
        return Committed(batch, entries, result.redelivered, transaction.callbacks)

    def _apply(self, write: Write, *, alone: bool) -> None:
        if write.call is None:
            return
        if alone:
            self._run_call(write, write.call)
            return
        with contextlib.suppress(_Refused), savepoint(self._database.connection()):
            self._run_call(write, write.call)

    def _run_call(self, write: Write, call: TransactionCall) -> None:
        try:
            write.result = call.run(self._database)
        except OperationalError as error:
            write.refuse(translate_error(error))
        except Exception as error:  # noqa: BLE001  # raised again where the write is awaited
            write.refuse(error)

    def _read_version(self) -> int:
        (version,) = self._database.connection().execute("PRAGMA data_version").fetchone()
        return int(version)

    def _notice_foreign_change(self) -> None:
        """Report a commit by another process since the last call.

        SQLite changes the ``data_version`` of a connection only for commits of other
        connections, and no other connection of this process writes.
        """
        self._watch_at = time.monotonic() + _WATCH_INTERVAL
        version = self._read_version()
        if version != self._version:
            self._version = version
            self._has_inbox = self._is_owner
            self._on_foreign_change()
