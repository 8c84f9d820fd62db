"""An event system without a workbench, with handlers for tests."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

from biont import Event, Store, on
from biont.event import EventFactory
from biont.events import EventSystem, Handler
from biont.events.dead_letters import DeadLetters
from biont.events.handlers import collect_handlers
from biont.store.dead_letters import DeadLetter, DeadLetterFilter
from biont.store.journal import read_entries
from biont.testing import ManualClock


class Log:
    """The events that handlers have seen; tests wait for a number of events."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = asyncio.Condition()

    async def add(self, *events: Event) -> None:
        async with self._changed:
            self.events += events
            self._changed.notify_all()

    async def wait_for(self, count: int) -> list[Event]:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: len(self.events) >= count)
        return self.events


class Bus:
    """A database on which event systems can run one after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._factory = EventFactory(ManualClock(), 3)
        self.store = Store(path, self._factory)

    async def count_journal(self) -> int:
        """Return the number of events in the journal."""
        return len(await self.store.read(read_entries, 0, sys.maxsize, sys.maxsize))

    @asynccontextmanager
    async def run(
        self,
        *handlers: Handler,
        lane_size: int = 10,
        waiting: Sequence[str] = (),
        grace: float = 5,
        was_killed: bool = False,
        retry: Sequence[float] = (0, 0),
    ) -> AsyncIterator[EventSystem]:
        self.store = Store(self._path, self._factory)
        await self.store.open()
        events = EventSystem(
            self.store,
            self._factory,
            DeadLetters(self.store, ManualClock(), lambda _: True),
            lane_size=lane_size,
            timeout=5,
            retry=retry,
        )
        await events.start(handlers, waiting_plugins=waiting, was_killed=was_killed)
        try:
            yield events
        finally:
            await events.stop(lambda: grace)
            await self.store.close()


def handle(
    name: str, function: Callable[..., Awaitable[None] | None], *patterns: str, **options: object
) -> Handler:
    module = ModuleType("plugin")
    marked = on(*(patterns or ("*",)), **options)(function)  # type: ignore[arg-type,type-var]  # any of them
    setattr(module, name, marked)
    (handler,) = collect_handlers("test", module, None)
    return handler


async def wait_for_letters(events: EventSystem, count: int = 1) -> list[DeadLetter]:
    """Wait until `count` dead letters are not being replayed; return these, the newest first."""
    async with asyncio.timeout(20):
        while True:
            found = await events.dead_letters.list_letters(DeadLetterFilter(), 100)
            letters = list(found.rows)
            if len(letters) == count and not any(letter.replaying for letter in letters):
                return letters
