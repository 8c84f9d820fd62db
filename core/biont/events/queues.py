"""The order in which a lane hands out what it holds in memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from biont.event import Event
from biont.keyed_queue import KeyedQueue


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
    """First in, first out, with at most one event of a user at a time.

    The next event of a user becomes ready when the handler is done with the one before:
    has handled the event, or failed it for good. An event that is to be retried is not
    done, so the user's later events wait for it.
    """

    def __init__(self) -> None:
        self._ready = PlainQueue()
        self._users = KeyedQueue[int, Item]()
        self.wait = self._ready.wait
        self.take = self._ready.take
        self.put_back = self._ready.put_back

    def put(self, items: Sequence[Item]) -> None:
        """See `Queue`."""
        self._ready.put([item for item in items if self._users.enter(item.event.user_id, item)])

    def release(self, items: Sequence[Item]) -> None:
        """See `Queue`."""
        following = [self._users.leave(item.event.user_id) for item in items]
        self._ready.put([item for item in following if item is not None])
