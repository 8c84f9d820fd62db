"""Shutdown: the request to stop, and the time that all parts share to do so."""

from __future__ import annotations

import asyncio


class Shutdown:
    """The end of a workbench: requested once, bounded in time.

    Args:
        timeout: the time that stopping may take in all, in seconds.

    Attributes:
        requested: set as soon as all parts have to end.
    """

    def __init__(self, timeout: float) -> None:
        self.requested = asyncio.Event()
        self._timeout = timeout
        self._deadline: float | None = None

    def request(self) -> None:
        """Ask all parts to end; the time counts from the first request."""
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._timeout
            self.requested.set()

    def time_left(self) -> float:
        """Request the shutdown, and return the seconds that are left for it."""
        self.request()
        assert self._deadline is not None  # noqa: S101  # set by the request
        return max(0.0, self._deadline - asyncio.get_running_loop().time())
