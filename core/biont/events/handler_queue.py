"""Handler queue: the events that one handler has yet to handle, with bounded memory.

Each new event reaches the handler in one of two ways:

    offered: committed while the queue had room; taken into memory at once
    gap:     committed while the queue was full, or before the start; a range of numbers
             that `fill_gaps` reads from the journal when there is room

    gap --read--> in memory --taken--> under way --finish--> done
                      ^                   |
                      +-----put back------+   (to be retried)

Half of the room is for offered events, half for events read from gaps. So new events do not
wait for a backlog, memory stays flat however long the backlog is, and no handler waits for
another. An ordered handler gets no offered events while there is a gap, because offered events
would overtake the events of the gap.

The position is the number before the first event that is not done, in memory or in a gap. The
position is saved now and then; the next start begins with one gap right after the position.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from biont.event import Event
from biont.events.ready_queues import OrderedQueue, PlainQueue, Queue, QueuedEvent
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
    """A range of numbers of events to be read from the journal, both ends included."""

    first: int
    last: int


class HandlerQueue:
    """Queue of one handler, with the position of the handler in the journal.

    Args:
        match: returns whether the handler wants events of a type.
        position: the number up to which the handler is done with all events.
        last: the number of the last committed event.
        size: the most events in memory, half of them offered, half read from the journal.
        read_entries: reads the journal: ``(first, last, limit)`` to entries.
        on_progress: called whenever `position` may have moved.
        is_ordered: whether the handler gets the events of a user one after the other, in
            the order of their numbers.
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
        self._offered: deque[QueuedEvent] = deque()
        self._read: deque[QueuedEvent] = deque()
        self._gaps: deque[_Gap] = deque()
        self._queue: Queue = OrderedQueue() if is_ordered else PlainQueue()
        self._has_room = asyncio.Event()
        # The events that the last process left are the first gap.
        if position < last:
            self._add_gap(position + 1, last)
        self.wait = self._queue.wait
        self.take = self._queue.take
        self.put_back = self._queue.put_back

    @property
    def position(self) -> int:
        """The number up to which the handler is done with all events."""
        unhandled = [gap.first for gap in self._gaps]
        for held in (self._offered, self._read):
            while held and held[0].done:
                held.popleft()
            if held:
                unhandled.append(held[0].sequence)
        return min(unhandled) - 1 if unhandled else self._seen

    @property
    def gaps(self) -> Sequence[tuple[int, int]]:
        """The ranges of numbers that are not in memory yet, both ends included."""
        return [(gap.first, gap.last) for gap in self._gaps]

    def find(self, event_id: str) -> QueuedEvent | None:
        """Return an event in memory that the handler is not done with; None for any other."""
        for held in (self._offered, self._read):
            for item in held:
                if item.event.id == event_id and not item.done:
                    return item
        return None

    def wants(self, event_types: Iterable[str]) -> bool:
        """Return whether the handler wants events of any of these types."""
        return any(map(self._match, event_types))

    def offer(self, entries: Sequence[JournalEntry]) -> None:
        """Add the events of one commit; events beyond the room become a gap."""
        # Not the last wanted event: the position passes the events of other handlers as well.
        self._seen = entries[-1].sequence
        must_wait = len(self._gaps) >= (1 if self._is_ordered else _GAPS_LIMIT)
        room = 0 if must_wait else max(0, self._room - len(self._offered))
        wanted = self._select_wanted(entries)
        if len(wanted) > room:
            self._add_gap(wanted[room].sequence, self._seen)
            del wanted[room:]
        self._enqueue(wanted, self._offered)
        self._on_progress()

    def skip_to(self, sequence: int) -> None:
        """Note that the handler wants no other event that was committed up to `sequence`."""
        self._seen = sequence

    def replay(self, letter_id: int, event: Event) -> None:
        """Add the event of a dead letter."""
        self._queue.put([QueuedEvent(0, event, letter_id)])

    async def fill_gaps(self) -> None:
        """Read the gaps from the journal when there is room; run until cancelled."""
        while True:
            await self._has_room.wait()
            self._has_room.clear()
            while self._gaps and len(self._read) < self._room:
                try:
                    await self._read_once(self._gaps[0])
                except StoreUnavailable as error:
                    _log.warning("events not read; the read is repeated", error=str(error))
                    await asyncio.sleep(_READ_AGAIN)

    def finish(self, items: Sequence[QueuedEvent]) -> None:
        """Remove events that the handler has handled or failed for good."""
        self._queue.release(items)
        for held in (self._offered, self._read):
            while held and held[0].done:
                held.popleft()
        if self._gaps and len(self._read) <= self._room // 2:
            # Not before half of the room is free, so that one read returns many events.
            self._has_room.set()
        self._on_progress()

    def _select_wanted(self, entries: Sequence[JournalEntry]) -> list[QueuedEvent]:
        match = self._match
        return [
            QueuedEvent(entry.sequence, entry.event)
            for entry in entries
            if match(entry.event.event_type)
        ]

    def _enqueue(self, items: Sequence[QueuedEvent], held: deque[QueuedEvent]) -> None:
        held.extend(items)
        self._queue.put(items)

    def _add_gap(self, first: int, last: int) -> None:
        # The last gap grows when the new one is adjacent, or when there are too many gaps. In
        # the latter case events in between are read again, which "at least once" permits.
        if self._gaps and (self._gaps[-1].last == first - 1 or len(self._gaps) >= _GAPS_LIMIT):
            self._gaps[-1].last = last
        else:
            self._gaps.append(_Gap(first, last))
        self._has_room.set()

    async def _read_once(self, gap: _Gap) -> None:
        limit = min(_READ_LIMIT, self._room - len(self._read))
        # Read now, because the gap may grow while the journal is read.
        last = gap.last
        entries = await self._read_entries(gap.first, last, limit)
        self._enqueue(self._select_wanted(entries), self._read)
        # Fewer entries than the limit: all numbers up to `last` have been read or pruned.
        gap.first = entries[-1].sequence + 1 if len(entries) == limit else last + 1
        if gap.first > gap.last:
            self._gaps.popleft()
        self._on_progress()
