"""After a crash: finds out which event it is that ends the process, and stops it.

A handler that takes the process down with it is called again at the next start,
with the same event: at least once means again and again. So the events that may
have been under way get a durable mark before the handler is called then. What is
still marked at the next start is suspect, and is called while nothing else that
is suspect runs; who then ends the process too often is found guilty.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from biont.events.queues import Item
from biont.store.crash_marks import delete_mark, save_mark
from biont.store.store import Store


class PoisonEvent(Exception):
    """The process has ended too often while a handler was at work on this event."""


@dataclass
class CrashInvestigation:
    """What is known of a crash, for all handlers.

    Attributes:
        suspects: how often the process has died over an event of a handler alone.
        last: the number of the last event that may have been under way.
        count: how many events each handler had in memory at most.
        limit: how often the process may die over one event.
        alone: held while a suspect is at work.
    """

    suspects: Mapping[tuple[str, str], int]
    last: int
    count: int
    limit: int
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)


class PoisonEventGuard:
    """Marks events of one handler before it is called, until those in doubt are through.

    Args:
        store: where marks are kept.
        handler: its name.
        inquiry: what is known.
    """

    def __init__(self, store: Store, handler: str, inquiry: CrashInvestigation) -> None:
        self._store = store
        self._handler = handler
        self._inquiry = inquiry
        self._left = inquiry.count

    def is_watching(self, item: Item) -> bool:
        """Say whether `item` may be what ended the process."""
        return self._is_suspect(item) or (self._left > 0 and item.sequence <= self._inquiry.last)

    @asynccontextmanager
    async def watch(self, item: Item) -> AsyncIterator[None]:
        """Keep a mark for `item` while this is open.

        Raises:
            PoisonEvent: the handler must not be called.
            StoreUnavailable: there is no mark, and so no call.
        """
        self._left -= 1
        if not self._is_suspect(item):
            async with self._keep_mark(item, crashes=0):
                yield
            return
        async with self._inquiry.alone:
            crashes = self._inquiry.suspects[self._handler, item.event.id]
            if crashes >= self._inquiry.limit:
                raise PoisonEvent(f"the process has ended {crashes} times over this event in here")
            async with self._keep_mark(item, crashes=crashes):
                yield

    def _is_suspect(self, item: Item) -> bool:
        return (self._handler, item.event.id) in self._inquiry.suspects

    @asynccontextmanager
    async def _keep_mark(self, item: Item, crashes: int) -> AsyncIterator[None]:
        alone = self._is_suspect(item)
        await self._store.write(_mark, self._handler, item.event.id, alone=alone, crashes=crashes)
        try:
            yield
        finally:
            await self._store.write(_clear, self._handler, item.event.id)


def _mark(handler: str, event_id: str, *, alone: bool, crashes: int) -> None:
    save_mark(handler, event_id, alone=alone, crashes=crashes)


def _clear(handler: str, event_id: str) -> None:
    delete_mark(handler, event_id)
