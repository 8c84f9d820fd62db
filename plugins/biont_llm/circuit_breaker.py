"""Leaves a backend alone for a while when it does nothing but fail."""

from __future__ import annotations

from datetime import datetime, timedelta

from biont.clock import Clock


class CircuitBreaker:
    """Opens after so many failures in a row; after a pause one call may try again.

    Args:
        clock: tells when the pause is over.
        failures: how many in a row open it.
        pause: how long it stays open, in seconds.
    """

    def __init__(self, clock: Clock, *, failures: int, pause: float) -> None:
        self._clock = clock
        self._limit = failures
        self._pause = timedelta(seconds=pause)
        self._failures = 0
        self._open_until: datetime | None = None

    @property
    def wait(self) -> float:
        """How many seconds are left of the pause; 0 when calls may be made."""
        if self._open_until is None:
            return 0.0
        return max(0.0, (self._open_until - self._clock.now()).total_seconds())

    def try_again(self) -> None:
        """Let the caller try, and others wait another pause for what becomes of it."""
        if self._open_until is not None:
            self._open_until = self._clock.now() + self._pause

    def succeed(self) -> None:
        """Note that a call has been answered."""
        self._failures = 0
        self._open_until = None

    def fail(self) -> None:
        """Note that a call has not been answered."""
        self._failures += 1
        if self._failures >= self._limit:
            self._open_until = self._clock.now() + self._pause
