"""The order in which a lane hands out what it holds in memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from biont.event import Event


@dataclass(slots=True, eq=False)
class Item:
    """An event on its way through a lane.

    Attributes:
        sequence: its number in the journal; 0 for a dead letter that is replayed.
        event: what is to be handled.
        letter_id: the dead letter that it comes from.
        attempts: how often the handler has failed it.
        done: whether the handler is through with it.
    """

    sequence: int
    event: Event
    letter_id: int | None = None
    attempts: int = 0
    done: bool = False


class Queue(Protocol):
    """Events that are ready to be handled."""

    def put(self, items: Sequence[Item]) -> None:
        """Add events behind the others."""

    def put_back(self, item: Item) -> None:
        """Add an event again that was taken and is to be retried."""

    def release(self, items: Sequence[Item]) -> None:
        """Note that events which were taken are done with."""

    async def wait(self, count: int = 1) -> None:
        """Wait until `count` are ready; whoever woke up takes them, or wakes nobody else."""

    def take(self, limit: int) -> list[Item]:
        """Return up to `limit` events that are ready, none when there are none."""


class PlainQueue:
    """First in, first out."""

    def __init__(self) -> None:
        self._ready: deque[Item] = deque()
        self._waiters: deque[asyncio.Future[None]] = deque()

    def put(self, items: Sequence[Item]) -> None:
        """See `Queue`."""
        self._ready.extend(items)
        sought = len(items)
        while self._waiters and sought:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                sought -= 1

    def put_back(self, item: Item) -> None:
        """See `Queue`."""
        self.put([item])

    def release(self, items: Sequence[Item]) -> None:
        """See `Queue`."""

    async def wait(self, count: int = 1) -> None:
        """See `Queue`."""
        while len(self._ready) < count:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def take(self, limit: int) -> list[Item]:
        """See `Queue`."""
        return [self._ready.popleft() for _ in range(min(limit, len(self._ready)))]


class OrderedQueue:
    """Hands out a user's next event when the one before is done with, also by failing for good."""

    def __init__(self) -> None:
        self._plain = PlainQueue()
        self._blocked: dict[int, deque[Item]] = {}

    def put(self, items: Sequence[Item]) -> None:
        """See `Queue`."""
        for item in items:
            behind = self._blocked.get(item.event.user_id)
            if behind is None:
                self._blocked[item.event.user_id] = deque()
                self._plain.put([item])
            else:
                behind.append(item)

    def put_back(self, item: Item) -> None:
        """See `Queue`; its user's other events go on waiting for it."""
        self._plain.put_back(item)

    def release(self, items: Sequence[Item]) -> None:
        """See `Queue`."""
        for item in items:
            behind = self._blocked[item.event.user_id]
            if behind:
                self._plain.put([behind.popleft()])
            else:
                del self._blocked[item.event.user_id]

    async def wait(self, count: int = 1) -> None:
        """See `Queue`."""
        await self._plain.wait(count)

    def take(self, limit: int) -> list[Item]:
        """See `Queue`."""
        return self._plain.take(limit)
