"""A handler's own way through the journal.

A lane holds a bounded number of events in memory. What comes in while it is
full is not lost but read from the journal later, so memory stays flat however
long the backlog, and no handler waits for another.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from biont.store import Entry

Match = Callable[[str], bool]
ReadAfter = Callable[[int, int], Awaitable[Sequence[Entry]]]

_READ_LIMIT = 500


@dataclass(slots=True)
class Item:
    """An event on its way through a lane."""

    entry: Entry
    attempts: int = 0
    done: bool = False


class Lane:
    """The events that one handler has yet to handle.

    Args:
        match: says whether an event type is meant for the handler.
        position: the number of the last event that the handler is done with.
        size: how many events are held in memory.
        read_after: reads the journal: ``(sequence, limit)`` to the next entries.
        on_progress: called whenever `position` may have moved.
    """

    def __init__(
        self,
        match: Match,
        position: int,
        size: int,
        read_after: ReadAfter,
        on_progress: Callable[[], None],
    ) -> None:
        self._match = match
        self._size = size
        self._read_after = read_after
        self._on_progress = on_progress
        self._seen = position
        self._offered = position
        self._behind = True
        self._outstanding: deque[Item] = deque()
        self._ready: asyncio.Queue[Item] = asyncio.Queue()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def position(self) -> int:
        """The number of the event up to which the handler is done with all."""
        while self._outstanding and self._outstanding[0].done:
            self._outstanding.popleft()
        if self._outstanding:
            return self._outstanding[0].entry.sequence - 1
        return self._seen

    def offer(self, entries: Sequence[Entry]) -> None:
        """Take the events of one commit, or leave them to the journal when full."""
        self._offered = entries[-1].sequence
        if self._behind:
            return
        for entry in entries:
            if entry.sequence <= self._seen:
                continue
            if len(self._outstanding) >= self._size:
                self.catch_up()
                return
            self._take(entry)
        self._on_progress()

    def catch_up(self) -> None:
        """Read on from the journal: it holds events that were not taken when offered."""
        self._behind = True
        self._make_room()

    async def refill(self) -> None:
        """Read from the journal what was not offered, as room allows; runs until cancelled."""
        while True:
            await self._room.wait()
            self._room.clear()
            while self._behind and len(self._outstanding) < self._size:
                await self._read_once()

    async def get(self) -> Item:
        """Wait for the next event that is to be handled."""
        return await self._ready.get()

    def get_waiting(self, limit: int) -> list[Item]:
        """Return up to `limit` more events that are there already."""
        count = min(limit, self._ready.qsize())
        return [self._ready.get_nowait() for _ in range(count)]

    def put_back(self, item: Item) -> None:
        """Queue an event again that is to be retried."""
        self._ready.put_nowait(item)

    def finish(self, items: Iterable[Item]) -> None:
        """Mark events as handled, or given up for good."""
        for item in items:
            item.done = True
        while self._outstanding and self._outstanding[0].done:
            self._outstanding.popleft()
        if self._behind:
            self._make_room()
        self._on_progress()

    def _take(self, entry: Entry) -> None:
        self._seen = entry.sequence
        if self._match(entry.event.event_type):
            item = Item(entry)
            self._outstanding.append(item)
            self._ready.put_nowait(item)

    def _make_room(self) -> None:
        # At half, so that one read brings many events.
        if len(self._outstanding) <= self._size // 2:
            self._room.set()

    async def _read_once(self) -> None:
        limit = min(_READ_LIMIT, self._size - len(self._outstanding))
        entries = await self._read_after(self._seen, limit)
        for entry in entries:
            self._take(entry)
        # What was committed while the read ran has been offered, but not taken.
        if len(entries) < limit and self._seen >= self._offered:
            self._behind = False
        self._on_progress()
