"""Endpoint queue: the claimed deliveries of a webhook in memory, by due time.

Memory holds about `SIZE` deliveries of a webhook; further deliveries stay in the table. A
queue is *incomplete* while the table may hold due deliveries that are not in memory:

    complete --no room, or an alarm--> incomplete --refill begins--> complete

The flag is cleared at the beginning of the refill, not at the end: a delivery that falls due while
the table is read sets the flag again and causes another refill.

While the webhook is paused, disabled or deleted, the queue is closed: its deliveries are
released, and no new attempts begin. An attempt that is under way still ends and is recorded.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence

from biont_webhooks.delivery.deliveries import PendingDelivery
from biont_webhooks.delivery.endpoint_health import HealthState
from biont_webhooks.subscription.subscriber import Subscriber
from biont_webhooks.tables import AttemptTrigger

SIZE = 1000
"""The most deliveries of one webhook in memory, give or take one batch."""

# The clock and the event loop measure time differently, so that two readings of one wait differ.
_TIMER_TOLERANCE = 0.01

# The numbers of waiting deliveries that show that an endpoint cannot keep up. The first attempt
# for an unknown endpoint is alone, and a burst may arrive meanwhile.
_CONGESTED_SIZES = {
    HealthState.UNKNOWN: 64,
    HealthState.FAILING: 16,
    HealthState.HEALTHY: SIZE // 2,
}
_SLOW_SECONDS = 0.25
_WEIGHT = 0.05
"""The weight of the latest attempt in the mean duration."""


class EndpointQueue:
    """Queue of a webhook's claimed deliveries.

    Attributes:
        subscriber: the webhook.
        is_open: whether attempts may begin; false while the webhook is paused.
        workers: the number of tasks that make attempts for the webhook.
        refilling: whether the table is being read for the queue.
        under_way: the deliveries whose attempt has begun and is not recorded yet.
        requested: the deliveries whose attempt a user has requested by hand.
        request_workers: the number of tasks that make requested attempts.
        alarm: the timer for the next due delivery in the table.
        alarm_at: the time of the event loop at which the alarm is due.
        pause: the timer that ends when the webhook's rate and the receiver's ``Retry-After``
            allow the next attempt; None while both allow an attempt.
        lag: the seconds for which the delivery that was popped last has waited after its event;
            infinite for one that had no room in memory, 0 for an attempt with another trigger.
        mean_duration: the mean of recent attempts, in seconds.
    """

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber
        self.is_open = subscriber.is_active
        self.workers = 0
        self.refilling = False
        self.under_way: set[int] = set()
        self.requested: set[int] = set()
        self.request_workers = 0
        self.alarm: asyncio.TimerHandle | None = None
        self.alarm_at = 0.0
        self.pause: asyncio.TimerHandle | None = None
        self.lag = 0.0
        self.mean_duration = 0.0
        self._waiting: deque[tuple[float, PendingDelivery]] = deque()
        self._is_incomplete = False
        self._next_start = 0.0

    def __len__(self) -> int:
        """Return the number of deliveries that wait in memory."""
        return len(self._waiting)

    @property
    def has_capacity(self) -> bool:
        """True if new deliveries may be queued in memory at once. Thread-safe.

        A queue that is incomplete has no capacity: new deliveries would overtake older ones
        that wait in the table.
        """
        return not self._is_incomplete and len(self._waiting) < SIZE

    def is_congested(self, health: HealthState) -> bool:
        """Return whether deliveries fall due faster than the endpoint answers. Thread-safe."""
        # A deferred delivery is seconds late, which a prompt receiver does not deserve.
        if health is HealthState.HEALTHY and self.mean_duration < _SLOW_SECONDS:
            return False
        return self._is_incomplete or len(self._waiting) >= _CONGESTED_SIZES[health]

    @property
    def needs_refill(self) -> bool:
        """True if the table holds deliveries, and memory has room."""
        return self._is_incomplete and not self.refilling and len(self._waiting) <= SIZE // 2

    @property
    def is_idle(self) -> bool:
        """True if the queue has nothing left to do or to remember."""
        return not (
            self._waiting
            or self.workers
            or self._is_incomplete
            or self.refilling
            or self.under_way
            or self.requested
            or self.request_workers
            or self.alarm
            or self.pause
        )

    def push(self, deliveries: Sequence[PendingDelivery], now: float = -math.inf) -> None:
        """Append claimed deliveries.

        Args:
            deliveries: the deliveries.
            now: the time of the event loop, if they have just been created.
        """
        self._waiting.extend((now, delivery) for delivery in deliveries)

    def mark_incomplete(self) -> None:
        """Note that the table may hold deliveries that are not in memory."""
        # A closed queue reads nothing; `refresh` marks the queue incomplete when it opens again.
        self._is_incomplete = self.is_open

    def mark_complete(self) -> None:
        """Note that the table is about to be read."""
        self._is_incomplete = False

    def seconds_until_allowed(self, now: float) -> float:
        """Return the seconds until the webhook's rate allows an attempt; 0 for now.

        Args:
            now: the time of the event loop.
        """
        return 0.0 if self.subscriber.rate is None else max(0.0, self._next_start - now)

    def set_pause(self, at: float, on_end: Callable[[EndpointQueue], None]) -> None:
        """Call `on_end` at `at`, a time of the event loop, unless a timer is set."""
        if self.pause is not None:
            if self.pause.when() <= at + _TIMER_TOLERANCE:
                return
            # Much too late: the timer is from a wait that has ended early.
            self.pause.cancel()
        self.pause = asyncio.get_running_loop().call_at(at, on_end, self)

    def pop(self, now: float) -> PendingDelivery:
        """Remove and return the next delivery; the queue must not be empty.

        Args:
            now: the time of the event loop, from which the webhook's rate counts.
        """
        # Counted from the start of this attempt: a long pause earns no burst of attempts.
        if self.subscriber.rate is not None:
            self._next_start = now + 1 / self.subscriber.rate
        queued_at, delivery = self._waiting.popleft()
        self.lag = now - queued_at if delivery.trigger is AttemptTrigger.EVENT else 0.0
        return delivery

    def note_duration(self, seconds: float) -> None:
        """Note how long an attempt took."""
        self.mean_duration += _WEIGHT * (seconds - self.mean_duration)

    def take(self, delivery_id: int) -> PendingDelivery | None:
        """Remove and return a certain delivery; None if the queue does not have it."""
        for entry in self._waiting:
            if entry[1].id == delivery_id:
                self._waiting.remove(entry)
                return entry[1]
        return None

    def open(self, subscriber: Subscriber) -> None:
        """Allow attempts, with the present URL, secrets and limits of the webhook."""
        self.subscriber = subscriber
        self.is_open = True

    def close(self) -> list[int]:
        """Empty the queue and forbid attempts; return the deliveries that were waiting."""
        for timer in (self.alarm, self.pause):
            if timer is not None:
                timer.cancel()
        self.alarm = self.pause = None
        self.is_open = self._is_incomplete = False
        released = [delivery.id for _, delivery in self._waiting]
        self._waiting.clear()
        return released
