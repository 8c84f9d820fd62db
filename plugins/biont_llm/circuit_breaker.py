"""Circuit breaker: stops calls to a backend that keeps failing.

States:

    closed --`failures` in a row--> open --pause over--> half-open --success--> closed
                                      ^                     |
                                      +------failure--------+

An open circuit refuses calls. A half-open circuit lets one trial call pass, and other calls wait
for the outcome of the trial: after an outage, work that fell due together succeeds together. A
trial that ends without an outcome, such as a cancelled call, makes room for the next trial.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from biont.clock import Clock
from biont.exceptions import CircuitOpen


class CircuitBreaker:
    """Circuit breaker of one backend.

    Args:
        backend: name of the backend, for error messages.
        clock: the current time.
        failures: number of failures in a row that open the circuit.
        pause: duration of the open state, in seconds.
    """

    def __init__(self, backend: str, clock: Clock, *, failures: int, pause: float) -> None:
        self._backend = backend
        self._clock = clock
        self._limit = failures
        self._pause = timedelta(seconds=pause)
        self._failures = 0
        self._open_until: datetime | None = None
        self._trial: asyncio.Event | None = None

    @property
    def seconds_left(self) -> float:
        """The rest of the pause, in seconds; 0 in the states closed and half-open."""
        if self._open_until is None:
            return 0.0
        left = (self._open_until - self._clock.now()).total_seconds()
        # Never longer than the pause, also after the clock was set back.
        return max(0.0, min(left, self._pause.total_seconds()))

    @asynccontextmanager
    async def admit(self) -> AsyncIterator[None]:
        """Admit a call, which is made inside the context.

        In the state half-open, the first call is the trial, and other calls wait for its end.

        Raises:
            CircuitOpen: the circuit is open.
        """
        # In a loop, because a failed trial opens the circuit, and a cancelled trial decides
        # nothing.
        while self._trial is not None:
            await self._trial.wait()
        self._check_closed()
        if self._open_until is None:
            yield
            return
        self._trial = trial = asyncio.Event()
        try:
            yield
            # A stream has begun by now, which proves that the backend works.
            self.record_success()
        finally:
            self._trial = None
            trial.set()

    def record_success(self) -> None:
        """Close the circuit."""
        self._failures = 0
        self._open_until = None

    def record_failure(self) -> None:
        """Count a failure; open the circuit at the limit."""
        self._failures += 1
        if self._failures >= self._limit:
            self._open_until = self._clock.now() + self._pause

    def _check_closed(self) -> None:
        wait = self.seconds_left
        if wait:
            raise CircuitOpen(
                f"the LLM backend {self._backend!r} failed {self._failures} times in a row and "
                f"gets no requests for {wait:.0f} s",
                retry_after=wait,
            )
