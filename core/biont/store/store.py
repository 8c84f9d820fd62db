"""Store: all access to the database, from the event loop."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

from peewee import PeeweeException

from biont.event import Event, EventFactory
from biont.exceptions import StoreUnavailable
from biont.runtime.health import HealthProblem
from biont.store.companion import accompany, has_companion
from biont.store.condition import DatabaseCondition
from biont.store.database import activate, open_sqlite
from biont.store.failures import translate_error
from biont.store.file_modes import protect_files
from biont.store.journal import CallTransactionalHandlers, JournalEntry
from biont.store.migration import CORE_MIGRATIONS, Tables, migrate
from biont.store.model_check import check_models
from biont.store.reader import Read, Readers, ReadReply, settle
from biont.store.transaction import Transaction
from biont.store.write import Committed, TransactionCall, Write
from biont.store.writer import Writer

OnCommit = Callable[[Sequence[JournalEntry], Mapping[str, Sequence[JournalEntry]]], None]
"""A function that gets the new events of a commit, and those to redeliver, by handler."""

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """Runs functions that use tables, on threads: several that read and one that writes.

    Args:
        path: the SQLite file.
        events: makes the events that writes emit.
        readers: the number of reading threads.
        busy_timeout: the longest wait of a statement for another process, in seconds.
        is_owner: whether this process runs the workbench on the database. The events of
            another process go to the inbox, where the workbench takes them.
    """

    def __init__(
        self,
        path: Path,
        events: EventFactory,
        *,
        readers: int = 2,
        busy_timeout: float = 5.0,
        is_owner: bool = True,
    ) -> None:
        self._database = open_sqlite(path, busy_timeout)
        self._factory = events
        self._path = path
        self._condition = DatabaseCondition(path)
        self._readers = Readers(
            self._database, readers, self._condition, self._reply, self._report_death
        )
        self._writer = Writer(
            self._database,
            self._condition,
            events,
            self._reply_committed,
            self._report_foreign_change,
            self._report_death,
            is_owner=is_owner,
        )
        self._submitted: list[Write] = []
        self._replies: list[Callable[[], None]] = []
        self._replies_lock = threading.Lock()
        self._on_commit: list[OnCommit] = []
        self._on_foreign_change: list[Callable[[], None]] = []
        self._on_death: list[Callable[[BaseException], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> None:
        """Run the migrations of the core and start the threads.

        Raises:
            StoreConflict: the database was made by a newer version.
            StoreUnavailable: the database is locked, full, damaged or out of reach.
        """
        self._loop = asyncio.get_running_loop()
        try:
            await asyncio.to_thread(protect_files, self._path)
        except OSError as error:
            raise StoreUnavailable(
                f"the database cannot be created: {error.strerror}; let this user write to the "
                "folder, or choose another database.url"
            ) from error
        await self.migrate("core", CORE_MIGRATIONS)
        try:
            await asyncio.to_thread(self._writer.start)
        except (PeeweeException, sqlite3.Error) as error:
            raise translate_error(error) from error
        self._readers.start()

    async def close(self) -> None:
        """Finish all reads and writes, then close every connection."""
        self._flush()
        # In threads, because the loop has to run the replies meanwhile.
        await asyncio.to_thread(self._writer.stop)
        await asyncio.to_thread(self._readers.stop)
        self._condition.close()
        self._loop = None

    async def migrate(self, owner: str, migrations: Path) -> list[str]:
        """Run the new migrations of `owner`; return their names.

        Raises:
            StoreConflict: the database was made by a newer version.
            StoreUnavailable: the database is locked, full, damaged or out of reach.
        """

        def run() -> list[str]:
            try:
                with self._database.connection_context():
                    return migrate(self._database, owner, migrations)
            except PeeweeException as error:
                raise translate_error(error) from error

        return await asyncio.to_thread(run)

    def migrate_tables(self, owner: str, tables: Tables) -> None:
        """Run the new migrations of a plugin on this thread, and check its models.

        Raises:
            PluginError: a table does not fit its model.
        """
        with self._database.connection_context(), activate(self._database):
            migrate(self._database, owner, tables.migrations)
            check_models(self._database, tables.models)

    def set_transactional_handlers(self, call_handlers: CallTransactionalHandlers) -> None:
        """Call `call_handlers` on the writer's thread with new events, before their commit."""
        self._writer.call_handlers = call_handlers

    def on_commit(self, callback: OnCommit) -> None:
        """Call `callback` on the event loop with the events of each commit, in order."""
        self._on_commit.append(callback)

    def on_foreign_change(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the event loop when another process has written."""
        self._on_foreign_change.append(callback)

    def find_problems(self) -> list[HealthProblem]:
        """Return the reasons why the database cannot be used as usual."""
        return self._condition.find_problems()

    def on_death(self, callback: Callable[[BaseException], None]) -> None:
        """Call `callback` on the event loop when a thread of the store has ended by an error."""
        self._on_death.append(callback)

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of `function`, which reads tables but does not change them.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        future = self._open_loop().create_future()
        call = functools.partial(function, *args, **kwargs)
        self._readers.submit(Read(call, contextvars.copy_context(), future))
        return cast("T", await future)

    async def write(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function`, which changes tables; return its result after the commit.

        When the function raises, nothing was written. The function shares a transaction with
        other writes and must be short: slow work belongs outside.

        Raises:
            StoreUnavailable: nothing was written; the same call may succeed later.
        """
        return await self._call(lambda _: function(*args, **kwargs))

    async def transact(
        self,
        function: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do the same as `write` for a function that also emits events.

        The first argument of `function` is the `Transaction`: emitted events become durable
        together with the changes, and added callbacks run after the commit.

        Raises:
            StoreUnavailable: nothing was written; the same call may succeed later.
        """
        return await self._call(lambda transaction: function(transaction, *args, **kwargs))

    async def _call(self, function: Callable[[Transaction], T]) -> T:
        future = self._open_loop().create_future()
        transaction = Transaction(self._factory)
        call = TransactionCall(accompany(function), transaction, contextvars.copy_context())
        self._submit(Write(call, transaction.events, future))
        return cast("T", await future)

    def append(self, event: Event) -> Awaitable[object]:
        """Make `event` durable without any other change; await the result for the commit.

        Raises:
            StoreUnavailable: the event was not written; the same call may succeed later.
        """
        if has_companion():
            return self._call(lambda transaction: transaction.add(event))
        future = self._open_loop().create_future()
        self._submit(Write(None, [event], future))
        return future

    def _submit(self, write: Write) -> None:
        """Submit `write` together with all writes of this turn of the event loop.

        Submitted one by one, the first write of a burst would be committed alone, while the
        others wait for that commit.
        """
        self._submitted.append(write)
        if len(self._submitted) == 1:
            self._open_loop().call_soon(self._flush)

    def _flush(self) -> None:
        submitted, self._submitted = self._submitted, []
        self._writer.submit(submitted)

    def _open_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise StoreUnavailable("the store is not open")
        return self._loop

    def _reply(self, answers: Sequence[ReadReply]) -> None:
        def reply() -> None:
            for answer in answers:
                settle(answer.future, answer.result, answer.error)

        self._call_on_loop(reply)

    def _reply_committed(self, committed: Committed) -> None:
        def reply() -> None:
            # Before the futures are resolved: callbacks run before awaiting code continues.
            self._schedule(committed.callbacks)
            for write in committed.writes:
                if write.call is not None and write.error is None:
                    self._schedule(write.call.transaction.callbacks)
                settle(write.future, write.result, write.error)
            if committed.entries:
                for callback in self._on_commit:
                    callback(committed.entries, committed.redelivered)

        self._call_on_loop(reply)

    def _schedule(self, callbacks: Sequence[Callable[[], None]]) -> None:
        for callback in callbacks:
            # The loop reports the error of a callback and still calls the next.
            self._open_loop().call_soon(callback)

    def _report_foreign_change(self) -> None:
        def report() -> None:
            for callback in self._on_foreign_change:
                callback()

        self._call_on_loop(report)

    def _report_death(self, error: BaseException) -> None:
        def report() -> None:
            for callback in self._on_death:
                callback(error)

        self._call_on_loop(report)

    def _call_on_loop(self, reply: Callable[[], None]) -> None:
        """Run `reply` on the event loop; many replies in a burst wake the loop only once."""
        with self._replies_lock:
            self._replies.append(reply)
            if len(self._replies) > 1:
                return
        self._open_loop().call_soon_threadsafe(self._run_replies)

    def _run_replies(self) -> None:
        with self._replies_lock:
            replies, self._replies = self._replies, []
        for reply in replies:
            reply()
