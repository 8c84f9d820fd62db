"""What one webhook is owed, in the order in which it fell due."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from biont_webhooks.delivery.deliveries import PendingDelivery
from biont_webhooks.subscription.subscriber import Subscriber

SIZE = 1000
"""How many deliveries a webhook has in memory, give or take; the rest waits in the table."""

_PILE = 16
"""How many deliveries that wait are a sign that their endpoint cannot keep up."""


class EndpointQueue:
    """The deliveries of one webhook that wait for their turn, all of them claimed.

    Attributes:
        subscriber: whose outbox it is.
        is_open: whether its deliveries may be attempted; not while the webhook is paused.
        running: how many workers it has.
        refilling: whether the table is being read for it.
        under_way: the deliveries of which an attempt has begun that is not recorded yet.
        alarm: when to look into the table again, for a retry.
        pause: when its rate allows the next attempt; None when it does already.
    """

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber
        self.is_open = True
        self.running = 0
        self.refilling = False
        self.under_way: set[int] = set()
        self.alarm: asyncio.TimerHandle | None = None
        self.pause: asyncio.TimerHandle | None = None
        self._waiting: deque[PendingDelivery] = deque()
        self._is_behind = False
        self._next_start = 0.0

    def __len__(self) -> int:
        """Return how many deliveries wait in memory."""
        return len(self._waiting)

    @property
    def has_room(self) -> bool:
        """Whether new deliveries may be put into it right away.

        Else they are left to the table. Safe to ask from any thread.
        """
        return not self._is_behind and len(self._waiting) < SIZE

    @property
    def is_congested(self) -> bool:
        """Whether what is due comes faster than it goes. Safe to ask from any thread."""
        return self._is_behind or len(self._waiting) >= _PILE

    @property
    def needs_refill(self) -> bool:
        """Whether the table has deliveries for which there is room by now."""
        return self._is_behind and not self.refilling and len(self._waiting) <= SIZE // 2

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing left to do, or to remember."""
        return not (
            self._waiting
            or self.running
            or self._is_behind
            or self.refilling
            or self.under_way
            or self.alarm
            or self.pause
        )

    def take(self, owed: Sequence[PendingDelivery]) -> None:
        """Take in deliveries that are claimed."""
        self._waiting.extend(owed)

    def fall_behind(self) -> None:
        """Note that the table has deliveries that are not here, unless it is closed."""
        self._is_behind = self.is_open

    def catch_up(self) -> None:
        """Note that the table is about to be read; what comes after that is told again."""
        self._is_behind = False

    def wait(self, now: float) -> float:
        """Return how long the webhook's rate forbids an attempt, in seconds, 0 for not at all.

        Args:
            now: the time of the event loop.
        """
        return 0.0 if self.subscriber.rate is None else max(0.0, self._next_start - now)

    def pop(self, now: float) -> PendingDelivery:
        """Return the next delivery; there has to be one in memory.

        Args:
            now: the time of the event loop; the webhook's rate counts from it.
        """
        if self.subscriber.rate is not None:
            self._next_start = now + 1 / self.subscriber.rate
        return self._waiting.popleft()

    def open(self, subscriber: Subscriber) -> None:
        """Let deliveries be attempted, by what the webhook is now."""
        self.subscriber = subscriber
        self.is_open = True

    def close(self) -> list[int]:
        """Empty it and let nothing more begin; return the deliveries that were waiting."""
        for timer in (self.alarm, self.pause):
            if timer is not None:
                timer.cancel()
        self.alarm = self.pause = None
        self.is_open = self._is_behind = False
        left = [owed.id for owed in self._waiting]
        self._waiting.clear()
        return left
