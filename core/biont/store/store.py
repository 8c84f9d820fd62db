"""The one door to the database."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

from biont.event import Event, EventFactory
from biont.exceptions import StoreUnavailable
from biont.store.database import open_sqlite
from biont.store.journal import JournalEntry, Recorder
from biont.store.reader import Read, Readers, ReadReply
from biont.store.schema import CORE_MIGRATIONS, migrate
from biont.store.transaction import Transaction
from biont.store.writer import Committed, Write, Writer

OnAppend = Callable[[Sequence[JournalEntry], Mapping[str, Sequence[JournalEntry]]], None]
"""Is told the new events of a commit, and which of them transactional handlers see again."""

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """Runs functions that use tables, off the event loop.

    Args:
        path: the SQLite file.
        events: makes the events that writes emit.
        readers: how many threads read.
        busy_timeout: how long a statement waits for another process, in seconds.
        is_owner: whether this process runs the workbench on the database. One that
            does not leaves its events for the workbench to take.
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
        self._readers = Readers(self._database, readers, self._reply)
        self._writer = Writer(
            self._database,
            events,
            self._reply_committed,
            self._report_foreign_change,
            is_owner=is_owner,
        )
        self._submitted: list[Write] = []
        self._replies: list[Callable[[], None]] = []
        self._replies_lock = threading.Lock()
        self._on_append: list[OnAppend] = []
        self._on_foreign_change: list[Callable[[], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> None:
        """Bring the core's tables to their present shape and start the threads.

        Raises:
            StoreConflict: the database was made by a newer version.
        """
        self._loop = asyncio.get_running_loop()
        await self.migrate("core", CORE_MIGRATIONS)
        self._writer.start()
        self._readers.start()

    async def close(self) -> None:
        """Finish what was handed in, then close every connection."""
        self._flush()
        await asyncio.to_thread(self._writer.stop)
        await asyncio.to_thread(self._readers.stop)
        self._loop = None

    async def migrate(self, owner: str, migrations: Path) -> list[str]:
        """Run the new migrations of `owner`; return their names."""

        def run() -> list[str]:
            with self._database.connection_context():
                return migrate(self._database, owner, migrations)

        return await asyncio.to_thread(run)

    def record_with(self, recorder: Recorder) -> None:
        """Let `recorder`, on the writer's thread, take part in making events durable."""
        self._writer.recorder = recorder

    def on_append(self, callback: OnAppend) -> None:
        """Call `callback` on the event loop with the events of each commit, in order."""
        self._on_append.append(callback)

    def on_foreign_change(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the event loop when another process has written."""
        self._on_foreign_change.append(callback)

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `function` returns; it may use tables, but not change them.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        future = self._open_loop().create_future()
        call = functools.partial(function, *args, **kwargs)
        self._readers.submit(Read(call, contextvars.copy_context(), future))
        return cast("T", await future)

    async def write(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function`, which changes tables, and return its result once that is durable.

        When the function raises, nothing of it was written. It shares a transaction with
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

        Its first argument is the `Transaction`: events that it emits become durable together
        with its changes, and callbacks that it adds run after the commit.

        Raises:
            StoreUnavailable: nothing was written; the same call may succeed later.
        """
        return await self._call(lambda transaction: function(transaction, *args, **kwargs))

    async def _call(self, function: Callable[[Transaction], T]) -> T:
        future = self._open_loop().create_future()
        transaction = Transaction(self._factory)
        context = contextvars.copy_context()
        self._submit(Write(function, transaction, context, transaction.events, future))
        return cast("T", await future)

    def append(self, event: Event) -> Awaitable[object]:
        """Make an event durable that nothing else has to be written with; it is once awaited.

        Raises:
            StoreUnavailable: it was not written; the same call may succeed later.
        """
        future = self._open_loop().create_future()
        self._submit(Write(None, None, None, [event], future))
        return future

    def _submit(self, write: Write) -> None:
        """Hand a write to the writer, together with those of this turn of the event loop.

        One by one, the first of a burst would be committed alone, and the others wait.
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
                _settle(answer.future, answer.result, answer.error)

        self._call_on_loop(reply)

    def _reply_committed(self, committed: Committed) -> None:
        def reply() -> None:
            self._call_back(committed.callbacks)
            for write in committed.writes:
                if write.transaction is not None and write.error is None:
                    self._call_back(write.transaction.callbacks)
                _settle(write.future, write.result, write.error)
            if committed.entries:
                for tell in self._on_append:
                    tell(committed.entries, committed.again)

        self._call_on_loop(reply)

    def _call_back(self, callbacks: Sequence[Callable[[], None]]) -> None:
        for callback in callbacks:
            # By way of the loop, which reports what one of them raises, and goes on.
            self._open_loop().call_soon(callback)

    def _report_foreign_change(self) -> None:
        def report() -> None:
            for callback in self._on_foreign_change:
                callback()

        self._call_on_loop(report)

    def _call_on_loop(self, reply: Callable[[], None]) -> None:
        """Run `reply` on the loop; those that come in a burst wake it once."""
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


def _settle(future: asyncio.Future[object], result: object, error: Exception | None) -> None:
    if future.done():
        return
    if isinstance(error, StopIteration):
        # No future takes it, and whoever waits has to hear something.
        error = RuntimeError(f"a store function raised {error!r}")
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
