"""The threads that read, each with a connection of its own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue

from peewee import Database, OperationalError

from biont.store.database import activate, judge_error


@dataclass(frozen=True, slots=True)
class Read:
    """One read that waits for its turn."""

    function: Callable[[], object]
    context: contextvars.Context
    future: asyncio.Future[object]


class Readers:
    """Runs reads side by side on threads of their own.

    Args:
        database: a connection to it is opened on each thread.
        count: how many threads.
        on_result: called on a reading thread with each future and what it is to
            become: a result, or an error.
    """

    def __init__(
        self,
        database: Database,
        count: int,
        on_result: Callable[[asyncio.Future[object], object, Exception | None], None],
    ) -> None:
        self._database = database
        self._on_result = on_result
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
            while (read := self._waiting.get()) is not None:
                try:
                    result = read.context.run(self._call, read.function)
                except OperationalError as error:
                    self._on_result(read.future, None, judge_error(error))
                except Exception as error:  # noqa: BLE001  # raised again where it was awaited
                    self._on_result(read.future, None, error)
                else:
                    self._on_result(read.future, result, None)

    def _call(self, function: Callable[[], object]) -> object:
        with activate(self._database):
            return function()
