"""Readers: threads that run reads, each with a connection of its own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from peewee import Database, PeeweeException

from biont.exceptions import StoreUnavailable
from biont.runtime.containment import describe_raised, make_readable
from biont.store.condition import DatabaseCondition
from biont.store.database import activate

_BATCH_LIMIT = 16
"""The most reads that a thread takes at once. A larger number wakes the event loop less often,
but the first read of a batch waits for the last."""


@dataclass(frozen=True, slots=True)
class Read:
    """A submitted read."""

    function: Callable[[], object]
    context: contextvars.Context
    future: asyncio.Future[object]


@dataclass(frozen=True, slots=True)
class ReadReply:
    """The result or error of a read, with the future to resolve."""

    future: asyncio.Future[object]
    result: object = None
    error: Exception | None = None


def name_exit(error: BaseException) -> RuntimeError:
    """Return an ordinary error for one that would end the thread or the event loop."""
    return RuntimeError(f"a store function raised {describe_raised(error)}")


def settle(future: asyncio.Future[object], result: object, error: Exception | None) -> None:
    """Resolve the future of a read or write, unless the caller has given up."""
    if future.done():
        return
    if isinstance(error, StopIteration):
        # A future refuses StopIteration, and the awaiting code would wait for ever.
        error = name_exit(error)
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


class Readers:
    """Runs reads on several threads.

    Args:
        database: each thread opens a connection to this database.
        count: the number of threads.
        condition: gets the failures of the database.
        on_replies: called on a reading thread with the replies of a batch.
        on_death: called on a reading thread that ends because of an error.
    """

    def __init__(
        self,
        database: Database,
        count: int,
        condition: DatabaseCondition,
        on_replies: Callable[[Sequence[ReadReply]], None],
        on_death: Callable[[BaseException], None],
    ) -> None:
        self._database = database
        self._condition = condition
        self._on_replies = on_replies
        self._on_death = on_death
        self._waiting: SimpleQueue[Read | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"biont-reader-{number}", daemon=True)
            for number in range(count)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads after all submitted reads; block until then."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, read: Read) -> None:
        """Submit `read` to the next idle thread."""
        self._waiting.put(read)

    def _run(self) -> None:
        is_open = True
        try:
            with self._database.connection_context():
                self._database.connection().execute("PRAGMA query_only = 1")
                while is_open:
                    reads, is_open = self._gather()
                    self._on_replies(self._answer(reads))
        except Exception as error:  # noqa: BLE001  # reported, and the process ends
            self._on_death(error)
        # Refused, because code that waits for a read would wait for ever.
        while is_open:
            reads, is_open = self._gather()
            failed = StoreUnavailable("nothing was read: the workbench is stopping")
            self._on_replies([ReadReply(read.future, error=failed) for read in reads])

    def _answer(self, reads: Sequence[Read]) -> list[ReadReply]:
        replies: list[ReadReply] = []
        try:
            # One transaction, so that all queries of a read see the same state.
            with self._database.atomic("DEFERRED"):
                replies += [self._reply(read) for read in reads]
        except PeeweeException as error:
            failed = self._condition.report_read(error)
            # After some errors SQLite ends the transaction by itself, so that its end fails. The
            # replies have the cause then.
            return replies or [ReadReply(read.future, error=failed) for read in reads]
        return replies

    def _gather(self) -> tuple[list[Read], bool]:
        """Wait for reads; return a batch, and False when the thread is to end."""
        reads: list[Read] = []
        read = self._waiting.get()
        while read is not None:
            reads.append(read)
            if len(reads) == _BATCH_LIMIT:
                return reads, True
            try:
                read = self._waiting.get_nowait()
            except Empty:
                return reads, True
        return reads, False

    def _reply(self, read: Read) -> ReadReply:
        try:
            return ReadReply(read.future, read.context.run(self._call, read.function))
        except Exception as error:  # noqa: BLE001  # raised again where the read is awaited
            return ReadReply(read.future, error=self._condition.report_read(make_readable(error)))
        except BaseException as error:  # noqa: BLE001  # `sys.exit` must not end this thread
            return ReadReply(read.future, error=name_exit(error))

    def _call(self, function: Callable[[], object]) -> object:
        with activate(self._database):
            return function()
