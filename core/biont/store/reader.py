"""Readers: threads that run reads, each with a connection of its own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from peewee import Database, OperationalError

from biont.store.database import activate, translate_error

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


class Readers:
    """Runs reads on several threads.

    Args:
        database: each thread opens a connection to this database.
        count: the number of threads.
        on_replies: called on a reading thread with the replies of a batch.
    """

    def __init__(
        self, database: Database, count: int, on_replies: Callable[[Sequence[ReadReply]], None]
    ) -> None:
        self._database = database
        self._on_replies = on_replies
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
        with self._database.connection_context():
            self._database.connection().execute("PRAGMA query_only = 1")
            is_open = True
            while is_open:
                reads, is_open = self._gather()
                # One transaction, so that all queries of a read see the same state.
                with self._database.atomic("DEFERRED"):
                    replies = [self._reply(read) for read in reads]
                self._on_replies(replies)

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
        except OperationalError as error:
            return ReadReply(read.future, error=translate_error(error))
        except Exception as error:  # noqa: BLE001  # raised again where the read is awaited
            return ReadReply(read.future, error=error)

    def _call(self, function: Callable[[], object]) -> object:
        with activate(self._database):
            return function()
