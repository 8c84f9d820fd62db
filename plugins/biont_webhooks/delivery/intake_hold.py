"""Intake hold: gives deliveries their turn when the event loop has too much to do.

Deliveries lag for two reasons. A receiver is slow: then new events are taken in all the same,
because a slow receiver must not slow clients. Or the event loop is busy, and new events crowd out
the attempts: then the intake of the user is held until the attempts have caught up. The second
reason is assumed if all of this is true:

- a delivery has waited longer than `LAG_LIMIT` for its attempt;
- its receiver is prompt: recent attempts took less than `PROMPT_TICKS` ticks on average. A tick
  takes 10 ms, or longer in a busy loop, which makes attempts take longer too;
- its webhook has no rate or concurrency of its own, which would make it wait by the user's choice;
- the loop is busy: its thread has used more than `BUSY_SHARE` of the recent time, or ticks take
  longer than `BUSY_TICK`, as they do when the thread has to wait for a processor.

A hold ends when no attempt has begun late for `_PATIENCE_TICKS` ticks, or when the loop has time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from biont.events import EventIntake
from biont_webhooks.delivery.endpoint_queue import EndpointQueue

LAG_LIMIT = 0.05
"""The wait of a delivery, in seconds, beyond which new events are held."""
PROMPT_TICKS = 5
"""The mean duration of attempts, in ticks, up to which a receiver is prompt."""
BUSY_SHARE = 0.5
"""The share of the recent time for which the thread of a busy event loop has run."""
IDLE_SHARE = 0.25
"""The share below which a hold ends, because the event loop has time."""
BUSY_TICK = 0.015
"""The mean time of a tick in a busy event loop, in seconds."""

_HOLDER = "webhooks"
_TICK = 0.01
_PATIENCE_TICKS = 2
_WEIGHT = 0.3
"""The weight of the latest tick in the means."""


def _read_times() -> tuple[float, float]:
    return time.monotonic(), time.thread_time()


class IntakeHold:
    """Holds the intake of users whose deliveries to prompt receivers lag.

    Args:
        intake: the intake to hold.
        read_times: returns a monotonic time, and the time for which the calling thread has run.
    """

    def __init__(
        self, intake: EventIntake, read_times: Callable[[], tuple[float, float]] = _read_times
    ) -> None:
        self._intake = intake
        self._read_times = read_times
        self._timer: asyncio.TimerHandle | None = None
        self._behind: dict[int, int] = {}
        self._lagging = self._is_holding = False
        self._share, self._tick_seconds = 0.0, _TICK
        self._ticked_at = self._used = 0.0

    def note_start(self, queue: EndpointQueue) -> None:
        """Note that an attempt begins, after the wait `queue.lag`."""
        webhook = queue.subscriber
        if queue.lag <= LAG_LIMIT or webhook.rate or webhook.concurrency:
            return
        self._lagging = True
        if queue.mean_duration <= PROMPT_TICKS * self._tick_seconds:
            self._behind[webhook.user_id] = _PATIENCE_TICKS
        if self._timer is None:
            self._share, self._tick_seconds = 0.0, _TICK
            self._ticked_at, self._used = self._read_times()
            self._set_timer()

    def stop(self) -> None:
        """Hold nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._intake.hold(_HOLDER, ())

    def _set_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_TICK, self._tick)

    def _tick(self) -> None:
        before, used = self._ticked_at, self._used
        self._ticked_at, self._used = self._read_times()
        seconds = max(self._ticked_at - before, _TICK)
        self._tick_seconds += _WEIGHT * (seconds - self._tick_seconds)
        self._share += _WEIGHT * ((self._used - used) / seconds - self._share)
        if self._is_holding:
            self._is_holding = self._share > IDLE_SHARE or self._tick_seconds > BUSY_TICK
        else:
            self._is_holding = self._share > BUSY_SHARE or self._tick_seconds > BUSY_TICK
        self._intake.hold(_HOLDER, self._behind if self._is_holding else ())
        self._behind = {user: ticks - 1 for user, ticks in self._behind.items() if ticks > 1}
        self._timer = None
        if self._is_holding or self._lagging:
            self._set_timer()
        self._lagging = False
