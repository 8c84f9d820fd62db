"""A handler's own way through the journal.

A lane holds a bounded number of events in memory. What comes in while it is
full is not lost but a gap, which is read from the journal when there is room.
So memory stays flat however long the backlog, no handler waits for another,
and what has just happened does not wait for what a backlog holds.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from biont.event import Event
from biont.events.queues import Item, OrderedQueue, PlainQueue, Queue
from biont.exceptions import StoreUnavailable
from biont.store.journal import JournalEntry

Match = Callable[[str], bool]
ReadEntries = Callable[[int, int, int], Awaitable[Sequence[JournalEntry]]]

_READ_LIMIT = 500
_GAPS_LIMIT = 100
_READ_AGAIN = 1.0

_log = structlog.get_logger("biont.events")


@dataclass(slots=True)
class _Gap:
    """Events from `first` to `last` that are to be read from the journal."""

    first: int
    last: int


class HandlerQueue:
    """The events that one handler has yet to handle.

    Args:
        match: says whether an event type is meant for the handler.
        position: the number of the last event that the handler is done with.
        last: the number of the last event that there is.
        size: how many events are held in memory: half of them such as come in, the
            other half such as are read from the journal.
        read_entries: reads the journal: ``(first, last, limit)`` to entries.
        on_progress: called whenever `position` may have moved.
        is_ordered: whether a user's events are handed out one after the other, and
            none before an older one.
    """

    def __init__(
        self,
        match: Match,
        position: int,
        last: int,
        size: int,
        read_entries: ReadEntries,
        on_progress: Callable[[], None],
        *,
        is_ordered: bool = False,
    ) -> None:
        self._match = match
        self._room = max(1, size // 2)
        self._read_entries = read_entries
        self._on_progress = on_progress
        self._is_ordered = is_ordered
        self._seen = last
        self._offered: deque[Item] = deque()
        self._read: deque[Item] = deque()
        self._gaps: deque[_Gap] = deque()
        self._queue: Queue = OrderedQueue() if is_ordered else PlainQueue()
        self._has_room = asyncio.Event()
        if position < last:
            self._add_gap(position + 1, last)
        self.wait = self._queue.wait
        self.take = self._queue.take
        self.put_back = self._queue.put_back

    @property
    def position(self) -> int:
        """The number of the event up to which the handler is done with all."""
        unhandled = [gap.first for gap in self._gaps]
        for held in (self._offered, self._read):
            while held and held[0].done:
                held.popleft()
            if held:
                unhandled.append(held[0].sequence)
        return min(unhandled) - 1 if unhandled else self._seen

    def wants(self, event_types: Iterable[str]) -> bool:
        """Say whether events of any of these types are meant for the handler."""
        return any(map(self._match, event_types))

    def offer(self, entries: Sequence[JournalEntry]) -> None:
        """Take the events of one commit; what finds no room becomes a gap."""
        self._seen = entries[-1].sequence
        must_wait = len(self._gaps) >= (1 if self._is_ordered else _GAPS_LIMIT)
        room = 0 if must_wait else max(0, self._room - len(self._offered))
        meant = self._choose(entries)
        if len(meant) > room:
            self._add_gap(meant[room].sequence, self._seen)
            del meant[room:]
        self._take_in(meant, self._offered)
        self._on_progress()

    def pass_over(self, sequence: int) -> None:
        """Note that nothing else that was committed up to `sequence` is for the handler."""
        self._seen = sequence

    def replay(self, letter_id: int, event: Event) -> None:
        """Take an event that the handler had failed for good."""
        self._queue.put([Item(0, event, letter_id)])

    async def fill_gaps(self) -> None:
        """Read from the journal what was not taken, as room allows; runs until cancelled."""
        while True:
            await self._has_room.wait()
            self._has_room.clear()
            while self._gaps and len(self._read) < self._room:
                try:
                    await self._read_once(self._gaps[0])
                except StoreUnavailable as error:
                    _log.warning("events not read, will be tried again", error=str(error))
                    await asyncio.sleep(_READ_AGAIN)

    def finish(self, items: Sequence[Item]) -> None:
        """Let go of events that are done: handled, or given up for good."""
        self._queue.release(items)
        for held in (self._offered, self._read):
            while held and held[0].done:
                held.popleft()
        if self._gaps and len(self._read) <= self._room // 2:
            # At half, so that one read brings many events.
            self._has_room.set()
        self._on_progress()

    def _choose(self, entries: Sequence[JournalEntry]) -> list[Item]:
        match = self._match
        return [Item(sequence, event) for sequence, event in entries if match(event.event_type)]

    def _take_in(self, items: Sequence[Item], held: deque[Item]) -> None:
        held.extend(items)
        self._queue.put(items)

    def _add_gap(self, first: int, last: int) -> None:
        if self._gaps and (self._gaps[-1].last == first - 1 or len(self._gaps) >= _GAPS_LIMIT):
            self._gaps[-1].last = last
        else:
            self._gaps.append(_Gap(first, last))
        self._has_room.set()

    async def _read_once(self, gap: _Gap) -> None:
        limit = min(_READ_LIMIT, self._room - len(self._read))
        last = gap.last
        entries = await self._read_entries(gap.first, last, limit)
        self._take_in(self._choose(entries), self._read)
        gap.first = entries[-1].sequence + 1 if len(entries) == limit else last + 1
        if gap.first > gap.last:
            self._gaps.popleft()
        self._on_progress()
