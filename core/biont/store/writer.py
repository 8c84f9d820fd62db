"""The one thread that writes: it gathers what waits into one transaction.

A commit with ``synchronous=FULL`` costs a flush of the disk, whatever is in it.
So all writes that have come in while the last commit ran share the next one,
each in a savepoint of its own: one that fails takes no other with it.
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
from biont.store.database import activate, judge_error, savepoint
from biont.store.inbox import leave_events, take_events
from biont.store.journal import (
    JournalEntry,
    Recorder,
    append_entries,
    keep_all,
    read_last_sequence,
)
from biont.store.transaction import Transaction

BATCH_LIMIT = 1000
"""How many writes share a commit at most, so that none waits long for its own."""

_WATCH_INTERVAL = 0.25
"""How soon a change by another process is noticed, in seconds."""


@dataclass(slots=True)
class Write:
    """One write that waits for its turn, and what becomes of it.

    Nothing but new events needs no function, and no transaction to hand it.
    """

    function: Callable[[Transaction], object] | None
    transaction: Transaction | None
    context: contextvars.Context | None
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
    """Rolls back what one write has done."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What one transaction has done.

    Attributes:
        writes: those that were in it, each with its result or error.
        entries: the new events, in order.
        again: what transactional handlers have to see again, by handler.
        callbacks: what the transactional handlers want called.
    """

    writes: Sequence[Write]
    entries: Sequence[JournalEntry] = ()
    again: Mapping[str, Sequence[JournalEntry]] = field(default_factory=dict)
    callbacks: Sequence[Callable[[], None]] = ()


class Writer:
    """Runs writes one batch after another on a thread of its own.

    Args:
        database: opened on the writer's thread.
        on_commit: called on that thread after each batch, also a failed one.
        on_foreign_change: called on that thread when another process has written.
        is_owner: whether this process runs the workbench; others leave their events
            in the inbox.

    Attributes:
        recorder: is shown new events before they are committed.
        factory: makes the transaction that the recorder gets.
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
        self.recorder: Recorder = keep_all
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
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what has been handed in, then end; blocks until then."""
        self._waiting.put(None)
        self._thread.join()

    def submit(self, writes: Sequence[Write]) -> None:
        """Hand in writes; they become part of the next transaction."""
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
        """Return what waits, and whether there may be more after it."""
        batch: list[Write] = []
        try:
            writes = self._waiting.get(timeout=_WATCH_INTERVAL)
            while writes is not None:
                batch += writes
                if len(batch) >= BATCH_LIMIT:
                    return batch, True
                writes = self._waiting.get_nowait()
        except Empty:
            if not batch:
                self._notice_foreign_change()
            return batch, True
        return batch, False

    def _commit(self, batch: list[Write]) -> Committed:
        batch = [write for write in batch if not write.future.cancelled()]
        try:
            # IMMEDIATE: a read lock that is upgraded later fails at once,
            # whatever the busy timeout.
            with self._database.atomic("IMMEDIATE"):
                if time.monotonic() >= self._watch_at:
                    self._notice_foreign_change()
                events = take_events() if self._has_inbox else []
                for write in batch:
                    self._apply(write, alone=len(batch) == 1 and not events)
                    events += write.events
                committed = self._record(batch, events)
        except _Refused:
            return Committed(batch)
        except (DatabaseError, sqlite3.Error) as error:
            for write in batch:
                write.error = StoreUnavailable(f"nothing was written: {error}; try again")
            return Committed(batch)
        self._has_inbox = False
        if committed.entries:
            self._last_sequence = committed.entries[-1].sequence
        return committed

    def _record(self, batch: list[Write], events: list[Event]) -> Committed:
        """Make new events part of the transaction."""
        if not events:
            return Committed(batch)
        if not self._is_owner:
            leave_events(events)
            return Committed(batch)
        entries = [
            JournalEntry(number, event)
            for number, event in enumerate(events, self._last_sequence + 1)
        ]
        transaction = Transaction(self._factory, can_defer=True)
        recording = self.recorder(transaction, entries)
        if recording.kept:
            append_entries(self._database, recording.kept)
        return Committed(batch, entries, recording.again, transaction.callbacks)

    def _apply(self, write: Write, *, alone: bool) -> None:
        if write.function is None:
            return
        if alone:
            self._call(write)
            return
        with contextlib.suppress(_Refused), savepoint(self._database.connection()):
            self._call(write)

    def _call(self, write: Write) -> None:
        assert write.function is not None  # noqa: S101  # narrows the type for mypy
        assert write.context is not None  # noqa: S101  # likewise
        assert write.transaction is not None  # noqa: S101  # likewise
        try:
            write.result = write.context.run(self._call_active, write.function, write.transaction)
        except OperationalError as error:
            write.refuse(judge_error(error))
        except Exception as error:  # noqa: BLE001  # it is raised again where the write was awaited
            write.refuse(error)

    def _call_active(
        self, function: Callable[[Transaction], object], transaction: Transaction
    ) -> object:
        with activate(self._database):
            return function(transaction)

    def _read_version(self) -> int:
        (version,) = self._database.connection().execute("PRAGMA data_version").fetchone()
        return int(version)

    def _notice_foreign_change(self) -> None:
        """Find out whether another process has written since the last look.

        This connection is the only one of the process that writes, and SQLite
        changes its ``data_version`` only for what other connections commit.
        """
        self._watch_at = time.monotonic() + _WATCH_INTERVAL
        version = self._read_version()
        if version != self._version:
            self._version = version
            self._has_inbox = self._is_owner
            self._on_foreign_change()
