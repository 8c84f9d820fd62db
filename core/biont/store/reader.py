"""The threads that read, each with a connection of its own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from peewee import Database, OperationalError

from biont.store.database import activate, judge_error

_BATCH_LIMIT = 16
"""How many reads a thread takes at once: each answer that travels alone costs a wake-up of
the event loop, and each read that is taken along waits for those before it."""


@dataclass(frozen=True, slots=True)
class Read:
    """One read that waits for its turn."""

    function: Callable[[], object]
    context: contextvars.Context
    future: asyncio.Future[object]


@dataclass(frozen=True, slots=True)
class ReadReply:
    """What a future is to become: a result, or an error where there is one."""

    future: asyncio.Future[object]
    result: object = None
    error: Exception | None = None


class Readers:
    """Runs reads side by side on threads of their own.

    Args:
        database: a connection to it is opened on each thread.
        count: how many threads.
        on_answers: called on a reading thread with what it has read.
    """

    def __init__(
        self, database: Database, count: int, on_answers: Callable[[Sequence[ReadReply]], None]
    ) -> None:
        self._database = database
        self._on_answers = on_answers
        self._waiting: SimpleQueue[Read | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"biont-reader-{number}", daemon=True)
            for number in range(count)
        ]

    def start(self) -> None:
        """Begin to read."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Read what has been handed in, then end; blocks until then."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, read: Read) -> None:
        """Hand in a read; the next idle thread takes it."""
        self._waiting.put(read)

    def _run(self) -> None:
        with self._database.connection_context():
            self._database.connection().execute("PRAGMA query_only = 1")
            is_open = True
            while is_open:
                reads, is_open = self._gather()
                # In one transaction each read sees one state, however many its queries.
                with self._database.atomic("DEFERRED"):
                    answers = [self._answer(read) for read in reads]
                self._on_answers(answers)

    def _gather(self) -> tuple[list[Read], bool]:
        """Wait for reads; return some, and whether there may be more after them."""
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

    def _answer(self, read: Read) -> ReadReply:
        try:
            return ReadReply(read.future, read.context.run(self._call, read.function))
        except OperationalError as error:
            return ReadReply(read.future, error=judge_error(error))
        except Exception as error:  # noqa: BLE001  # it is raised again where the read was awaited
            return ReadReply(read.future, error=error)

    def _call(self, function: Callable[[], object]) -> object:
        with activate(self._database):
            return function()
