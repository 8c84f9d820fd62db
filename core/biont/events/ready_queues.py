"""Queues: the order in which a handler queue hands out the events in memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from biont.event import Event
from biont.keyed_queue import KeyedQueue


@dataclass(slots=True, eq=False)
class QueuedEvent:
    """An event in a handler queue.

    Attributes:
        sequence: the number in the journal; 0 for the replay of a dead letter.
        event: the event.
        letter_id: the id of the dead letter, for a replay.
        failures: the number of failed calls of the handler.
        done: whether the handler has handled the event, or failed the event for good.
    """

    sequence: int
    event: Event
    letter_id: int | None = None
    failures: int = 0
    done: bool = False


class Queue(Protocol):
    """The events that are ready for the handler."""

    def put(self, items: Sequence[QueuedEvent]) -> None:
        """Append events."""

    def put_back(self, item: QueuedEvent) -> None:
        """Append an event that was taken and is to be retried."""

    def release(self, items: Sequence[QueuedEvent]) -> None:
        """Mark taken events as finished."""

    async def wait(self, count: int = 1) -> None:
        """Wait until `count` events are ready; the caller takes events at once afterwards."""

    def take(self, limit: int) -> list[QueuedEvent]:
        """Remove and return up to `limit` events that are ready, possibly none."""


class PlainQueue:
    """First in, first out."""

    def __init__(self) -> None:
        self._ready: deque[QueuedEvent] = deque()
        self._waiters: deque[asyncio.Future[None]] = deque()

    def put(self, items: Sequence[QueuedEvent]) -> None:
        """See `Queue`."""
        self._ready.extend(items)
        # One waiter for each event: more would wake waiters that find no event.
        to_wake = len(items)
        while self._waiters and to_wake:
            waiter = self._waiters.popleft()
            if not waiter.done():  # a cancelled waiter takes nothing
                waiter.set_result(None)
                to_wake -= 1

    def put_back(self, item: QueuedEvent) -> None:
        """See `Queue`."""
        self.put([item])

    def release(self, items: Sequence[QueuedEvent]) -> None:
        """See `Queue`."""

    async def wait(self, count: int = 1) -> None:
        """See `Queue`."""
        while len(self._ready) < count:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def take(self, limit: int) -> list[QueuedEvent]:
        """See `Queue`."""
        return [self._ready.popleft() for _ in range(min(limit, len(self._ready)))]


class OrderedQueue:
    """First in, first out, with at most one event of a user at a time.

    The next event of a user becomes ready when the handler has handled the event before, or
    the event became a dead letter. While an event is to be retried, the user's later events
    wait for that event.
    """

    def __init__(self) -> None:
        self._ready = PlainQueue()
        self._users = KeyedQueue[int, QueuedEvent]()
        self.wait = self._ready.wait
        self.take = self._ready.take
        self.put_back = self._ready.put_back

    def put(self, items: Sequence[QueuedEvent]) -> None:
        """See `Queue`."""
        self._ready.put([item for item in items if self._users.enter(item.event.user_id, item)])

    def release(self, items: Sequence[QueuedEvent]) -> None:
        """See `Queue`."""
        following = [self._users.leave(item.event.user_id) for item in items]
        self._ready.put([item for item in following if item is not None])
