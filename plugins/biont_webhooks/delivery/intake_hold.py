"""Intake hold: gives deliveries their turn when the event loop has too much to do.

Deliveries lag for two reasons. A receiver is slow: then new events are taken in all the same,
because a slow receiver must not slow the clients that emit. Or the event loop is busy, and new
events crowd out the attempts: then the intake of events is held until the attempts have caught up.
The second reason is assumed if all of this is true:

- a delivery has waited longer than `LAG_LIMIT` for its attempt;
- its receiver is prompt: recent attempts took less than `PROMPT_SECONDS` on average;
- its webhook has no rate or concurrency of its own, which would make it wait by the user's choice;
- the thread of the event loop has used more than `BUSY_SHARE` of the recent time.

The share is of the thread's own time. A thread that waits for the interpreter's lock or for a
processor counts as less busy, and then nothing is held.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from biont.events import EventIntake
from biont_webhooks.delivery.endpoint_queue import EndpointQueue

LAG_LIMIT = 0.05
"""The wait of a delivery, in seconds, beyond which new events are held."""
PROMPT_SECONDS = 0.05
"""The mean duration of attempts, in seconds, up to which a receiver is prompt."""
BUSY_SHARE = 0.5
"""The share of the recent time for which a busy event loop has run."""

_HOLDER = "webhooks"
_TICK = 0.01
_WEIGHT = 0.3
"""The weight of the latest tick in the share."""


class IntakeHold:
    """Holds the intake of events while deliveries to prompt receivers lag.

    Args:
        intake: the intake to hold.
        thread_time: returns the seconds for which the calling thread has run.
    """

    def __init__(
        self, intake: EventIntake, thread_time: Callable[[], float] = time.thread_time
    ) -> None:
        self._intake = intake
        self._thread_time = thread_time
        self._timer: asyncio.TimerHandle | None = None
        self._is_behind = False
        self._share = 0.0
        self._ticked_at = self._used = 0.0

    def note_start(self, queue: EndpointQueue) -> None:
        """Note that an attempt begins, after the wait `queue.lag`."""
        if queue.lag <= LAG_LIMIT or queue.mean_duration > PROMPT_SECONDS:
            return
        webhook = queue.subscriber
        if webhook.rate is None and webhook.concurrency is None:
            self._is_behind = True
            self._watch()

    def stop(self) -> None:
        """Hold nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._intake.release(_HOLDER)

    def _watch(self) -> None:
        if self._timer is None:
            self._share = 0.0
            self._note_use()
            self._timer = asyncio.get_running_loop().call_later(_TICK, self._tick)

    def _tick(self) -> None:
        before, used = self._ticked_at, self._used
        self._note_use()
        share = (self._used - used) / max(self._ticked_at - before, 1e-6)
        self._share += _WEIGHT * (share - self._share)
        is_behind, self._is_behind = self._is_behind, False
        if is_behind and self._share > BUSY_SHARE:
            self._intake.hold(_HOLDER)
        else:
            self._intake.release(_HOLDER)
        if is_behind or self._share > BUSY_SHARE:
            self._timer = asyncio.get_running_loop().call_later(_TICK, self._tick)
        else:
            self._timer = None

    def _note_use(self) -> None:
        # The thread of the event loop runs this code.
        self._ticked_at, self._used = time.monotonic(), self._thread_time()
