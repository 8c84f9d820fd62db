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

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from peewee import Database, PeeweeException

from biont.event import Event, EventFactory
from biont.exceptions import StoreUnavailable
from biont.runtime.containment import make_readable
from biont.store.condition import DatabaseCondition
from biont.store.database import activate, savepoint
from biont.store.inbox import insert_inbox_events, take_inbox_events
from biont.store.journal import (
    CallTransactionalHandlers,
    JournalEntry,
    append_entries,
    journal_all,
    read_last_sequence,
)
from biont.store.reader import name_exit
from biont.store.transaction import Transaction
from biont.store.write import Committed, Refused, TransactionCall, Write
from biont.store.write_probe import try_write

BATCH_LIMIT = 1000
"""The most writes in one commit: the first write of a batch waits for the last."""

_PROBE_INTERVAL = 2.0
"""The seconds between two tries to write to a database that could not be written."""

_WATCH_INTERVAL = 0.25
"""The longest time until a change by another process is noticed, in seconds."""


class Writer:
    """The thread that runs writes, one batch after another.

    Args:
        database: opened on the writer's thread.
        condition: gets the failures of the database.
        factory: makes the transaction for the transactional handlers.
        on_commit: called on that thread after each batch, also a failed one.
        on_foreign_change: called on that thread when another process has written.
        on_death: called on that thread when it ends because of an error.
        is_owner: whether this process runs the workbench; the events of other processes
            go to the inbox.

    Attributes:
        call_handlers: calls the transactional handlers with new events, before the commit.
    """

    def __init__(
        self,
        database: Database,
        condition: DatabaseCondition,
        factory: EventFactory,
        on_commit: Callable[[Committed], None],
        on_foreign_change: Callable[[], None],
        on_death: Callable[[BaseException], None],
        *,
        is_owner: bool,
    ) -> None:
        self.call_handlers: CallTransactionalHandlers = journal_all
        self._database = database
        self._condition = condition
        self._factory = factory
        self._on_commit = on_commit
        self._on_foreign_change = on_foreign_change
        self._on_death = on_death
        self._is_owner = is_owner
        self._waiting: SimpleQueue[Sequence[Write] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="biont-writer", daemon=True)
        self._last_sequence = 0
        self._version = 0
        self._watch_at = self._probe_at = 0.0
        self._started: SimpleQueue[BaseException | None] = SimpleQueue()
        self._is_stopping = False
        self._has_inbox = is_owner

    def start(self) -> None:
        """Start the thread; block until it has read the database.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        self._thread.start()
        error = self._started.get()
        if error is not None:
            raise error

    def stop(self) -> None:
        """End the thread after all submitted writes; block until then."""
        self._is_stopping = True
        self._waiting.put(None)
        self._thread.join()

    def submit(self, writes: Sequence[Write]) -> None:
        """Add `writes` to the next transaction."""
        self._waiting.put(writes)

    def _run(self) -> None:
        has_started = False
        try:
            with self._database.connection_context(), activate(self._database):
                self._last_sequence = read_last_sequence()
                self._version = self._read_version()
                has_started = True
                self._started.put(None)
                self._work()
        except BaseException as error:  # noqa: BLE001  # raised by `start`, or the process ends
            if not has_started:
                self._started.put(error)
                return
            self._on_death(error)
            self._refuse_until_stopped()

    def _work(self) -> None:
        open_for_more = True
        while open_for_more:
            batch, open_for_more = self._gather()
            if batch or self._has_inbox:
                try:
                    self._on_commit(self._commit(batch))
                except BaseException:
                    self._refuse(batch)
                    raise

    def _refuse_until_stopped(self) -> None:
        # Refused, because code that waits for a write would wait for ever.
        while not self._is_stopping:
            with contextlib.suppress(Empty):
                self._refuse(self._waiting.get(timeout=_WATCH_INTERVAL) or ())

    def _refuse(self, writes: Sequence[Write]) -> None:
        for write in writes:
            write.error = StoreUnavailable("nothing was written: the workbench is stopping")
        self._on_commit(Committed(writes))

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
                self._look_around()
            return batch, True
        return batch, False

    def _commit(self, batch: list[Write]) -> Committed:
        # A write whose caller gave up before the transaction is not made.
        batch = [write for write in batch if not write.future.cancelled()]
        connection = self._database.connection()
        changes = connection.total_changes
        try:
            self._condition.check_files(connection)
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
        except Refused:  # by a write without a savepoint, the only one of the batch
            return Committed(batch)
        except (PeeweeException, sqlite3.Error, StoreUnavailable) as error:
            failed = self._condition.report_write(error)
            if not isinstance(failed, StoreUnavailable):
                failed = StoreUnavailable(f"nothing was written: {error}; try again")
            for write in batch:
                write.error = failed
            return Committed(batch)
        # A commit without changes does not touch the disk.
        if connection.total_changes != changes:
            self._condition.report_written()
        self._check_kept(batch, connection)
        # Only now, because a failed commit leaves the events in the inbox.
        self._has_inbox = False
        if committed.entries:
            self._last_sequence = committed.entries[-1].sequence
        return committed

    def _check_kept(self, batch: Sequence[Write], connection: sqlite3.Connection) -> None:
        """Check the files after a commit.

        A log that was truncated since the first check has a hole, and the next start ignores what
        follows. The events stay committed, as far as SQLite knows.
        """
        doubt = self._condition.find_doubt(connection)
        if doubt is not None:
            for write in batch:
                write.error = write.error or doubt

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
        with contextlib.suppress(Refused), savepoint(self._database.connection()):
            self._run_call(write, write.call)

    def _run_call(self, write: Write, call: TransactionCall) -> None:
        try:
            write.result = call.run(self._database)
        except Exception as error:  # noqa: BLE001  # raised again where the write is awaited
            write.refuse(self._condition.report_write(make_readable(error)))
        except BaseException as error:  # noqa: BLE001  # `sys.exit` must not end this thread
            write.refuse(name_exit(error))

    def _look_around(self) -> None:
        """Look for changes from outside while nothing is written."""
        with contextlib.suppress(StoreUnavailable):
            self._condition.check_files(self._database.connection())
        if self._condition.is_unwritable and time.monotonic() >= self._probe_at:
            self._probe()
            self._probe_at = time.monotonic() + _PROBE_INTERVAL
        try:
            self._notice_foreign_change()
        except sqlite3.Error as error:
            self._condition.report_write(error)

    def _probe(self) -> None:
        """Try to write, so that a repaired database is noticed without waiting for a client."""
        try:
            try_write(self._database)
        except (PeeweeException, sqlite3.Error) as error:
            self._condition.report_write(error)
        else:
            self._condition.report_written()

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
