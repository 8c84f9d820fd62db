"""Event intake: the turn of new events while the workbench is busy with earlier events.

One event loop takes in events and delivers them. A loop that has more to do than it can gives each
connection the same turn, so that many clients crowd out a few deliveries, and deliveries lag
further with each second. A plugin that lags for that reason holds the intake, and clients wait a
moment for their answers instead.
"""

from __future__ import annotations

import asyncio
import contextlib

_LIMIT = 1.0
"""The longest wait of one event, in seconds: a plugin that forgets to release stops no client."""


class EventIntake:
    """Gate through which events from clients enter; open unless a plugin holds the gate."""

    def __init__(self) -> None:
        self._holders: set[str] = set()
        self._is_open = asyncio.Event()
        self._is_open.set()

    @property
    def is_held(self) -> bool:
        """True while new events wait."""
        return bool(self._holders)

    def hold(self, holder: str) -> None:
        """Let new events wait until `release`, each for a second at most."""
        self._holders.add(holder)
        self._is_open.clear()

    def release(self, holder: str) -> None:
        """End the hold of `holder`, if there is one."""
        self._holders.discard(holder)
        if not self._holders:
            self._is_open.set()

    async def wait(self) -> None:
        """Wait for the turn of a new event: at once, or for a second at most."""
        if self._holders:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LIMIT):
                    await self._is_open.wait()
