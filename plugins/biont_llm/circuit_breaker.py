"""Circuit breaker: stops calls to a backend that keeps failing.

States:

    closed --`failures` in a row--> open --pause over--> half-open --success--> closed
                                      ^                     |
                                      +------failure--------+

An open circuit refuses calls. A half-open circuit lets one trial call pass. `begin_trial`
starts the pause anew, so that other calls are refused while the trial runs; a trial that never
reports its outcome therefore blocks the backend for one pause only.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from biont.clock import Clock


class CircuitBreaker:
    """Circuit breaker of one backend.

    Args:
        clock: the current time.
        failures: number of failures in a row that open the circuit.
        pause: duration of the open state, in seconds.
    """

    def __init__(self, clock: Clock, *, failures: int, pause: float) -> None:
        self._clock = clock
        self._limit = failures
        self._pause = timedelta(seconds=pause)
        self._failures = 0
        self._open_until: datetime | None = None

    @property
    def seconds_left(self) -> float:
        """The rest of the pause, in seconds; 0 in the states closed and half-open."""
        if self._open_until is None:
            return 0.0
        return max(0.0, (self._open_until - self._clock.now()).total_seconds())

    def begin_trial(self) -> None:
        """Start the pause anew if the circuit is half-open; do nothing if it is closed."""
        if self._open_until is not None:
            self._open_until = self._clock.now() + self._pause

    def record_success(self) -> None:
        """Close the circuit."""
        self._failures = 0
        self._open_until = None

    def record_failure(self) -> None:
        """Count a failure; open the circuit at the limit."""
        self._failures += 1
        if self._failures >= self._limit:
            self._open_until = self._clock.now() + self._pause
