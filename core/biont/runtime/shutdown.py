"""Shutdown: the request to stop, and the deadline that all parts share."""

from __future__ import annotations

import asyncio


class Shutdown:
    """Shutdown of a workbench: requested once, with a deadline for all parts together.

    Args:
        timeout: the seconds that stopping all parts may take.

    Attributes:
        requested: set as soon as all parts have to stop.
        failure: the error that has ended the workbench; None for an ordinary stop.
    """

    def __init__(self, timeout: float) -> None:
        self.requested = asyncio.Event()
        self.failure: str | None = None
        self._timeout = timeout
        self._deadline: float | None = None

    def request(self) -> None:
        """Ask all parts to stop; the timeout begins with the first request."""
        self._set_deadline()

    def fail(self, reason: str) -> None:
        """Ask all parts to stop because of an error; the first error is kept."""
        self.failure = self.failure or reason
        self.request()

    def time_left(self) -> float:
        """Request the shutdown, and return the seconds until the deadline."""
        return max(0.0, self._set_deadline() - asyncio.get_running_loop().time())

    def _set_deadline(self) -> float:
        """Return the deadline; the first call sets the deadline and `requested`."""
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._timeout
            self.requested.set()
        return self._deadline
