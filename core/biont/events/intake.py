"""Event intake: the turn of new events while the workbench is busy with earlier events.

One event loop takes in events and delivers them. A loop that has more to do than it can gives each
connection the same turn, so that many clients crowd out a few deliveries, and deliveries lag
further with each second. A plugin that lags for that reason holds the intake of the users
concerned, and their clients wait a moment for their answers instead.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection

_LIMIT = 1.0
"""The longest wait of one event, in seconds: a plugin that forgets to release stops no client."""


class EventIntake:
    """Gates through which events from clients enter, one for each user; open unless held."""

    def __init__(self) -> None:
        self._held: dict[str, frozenset[int]] = {}
        self._closed: dict[int, asyncio.Event] = {}

    def hold(self, holder: str, user_ids: Collection[int]) -> None:
        """Let new events of these users wait, each for a second at most.

        The next call with the same holder replaces the users; a call without users releases all.

        Args:
            holder: the plugin.
            user_ids: the users whose events wait.
        """
        self._held[holder] = frozenset(user_ids)
        held = frozenset[int]().union(*self._held.values())
        for user_id in self._closed.keys() - held:
            self._closed.pop(user_id).set()
        for user_id in held - self._closed.keys():
            self._closed[user_id] = asyncio.Event()

    def is_held(self, user_id: int) -> bool:
        """Return whether new events of a user wait."""
        return user_id in self._closed

    async def wait(self, user_id: int) -> None:
        """Wait for the turn of a user's new event: not at all, or for a second at most."""
        gate = self._closed.get(user_id)
        if gate is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LIMIT):
                    await gate.wait()
