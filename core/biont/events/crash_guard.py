"""After a crash: finds out which event it is that ends the process, and stops it.

A handler that takes the process down with it is called again at the next start,
with the same event: at least once means again and again. So the events that may
have been under way are handled one at a time then, each after a durable mark.
A mark that is still there at the next start has found the culprit.
"""

from __future__ import annotations

import asyncio

from biont.events.queues import Item
from biont.store import Store, Transaction
from biont.store.crash_marks import delete_mark, save_mark


class CrashGuard:
    """Marks events of one handler before it is called, until those in doubt are through.

    Args:
        store: where marks are kept.
        handler: its name.
        last: the number of the last event that the former run may have handed over.
        count: how many events the former run had in memory at most.
        mark: the event that was marked when it died, and how often that has happened.
        limit: how often the process may die over one event.
    """

    def __init__(
        self,
        store: Store,
        handler: str,
        *,
        last: int,
        count: int,
        mark: tuple[str, int],
        limit: int,
    ) -> None:
        self._store = store
        self._handler = handler
        self._last = last
        self._left = count
        self._suspect, self._crashes = mark
        self._limit = limit
        self.alone = asyncio.Lock()

    def is_watching(self, item: Item) -> bool:
        """Say whether `item` may be what ended the process."""
        return self._left > 0 and item.sequence <= self._last

    def is_guilty(self, item: Item) -> bool:
        """Say whether the process has died over `item` too often."""
        return item.event.id == self._suspect and self._crashes >= self._limit

    def explain(self) -> str:
        """Return why a guilty event is a dead letter."""
        return f"the process has ended {self._crashes} times while this handler was at work on it"

    async def mark(self, item: Item) -> None:
        """Note durably that the handler is about to be handed `item`."""
        crashes = self._crashes if item.event.id == self._suspect else 0
        await self._store.write(_mark, self._handler, item.event.id, crashes + 1)

    async def clear(self) -> None:
        """Note that the handler has come back; after the last one in doubt, durably."""
        self._left -= 1
        if self._left == 0:
            await self._store.write(_clear, self._handler)


def _mark(_: Transaction, handler: str, event_id: str, crashes: int) -> None:
    save_mark(handler, event_id, crashes)


def _clear(_: Transaction, handler: str) -> None:
    delete_mark(handler)
