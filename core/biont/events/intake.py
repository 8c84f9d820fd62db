"""Event intake: the turn of new events while the workbench is busy with earlier events.

One event loop takes in events and delivers them. A loop that has too much to do gives each
connection the same turn, so that many clients crowd out a few deliveries, and deliveries lag
further with each second. A plugin that lags for that reason holds the intake of the users
concerned, and their clients wait a moment for their answers instead.

After a hold, events enter in steps of 1, 2, 4, 8 and so on, so that the plugin can hold again
before all of them have entered:

    open --hold--> held --release--> opening --no event waits--> open
                    ^                   |
                    +-------hold--------+
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Collection

_LIMIT = 1.0
"""The longest wait of one event, in seconds: a plugin that forgets to release stops no client."""
_STEP_SECONDS = 0.01


class EventIntake:
    """Gates through which events from clients enter, one for each user; open unless held."""

    def __init__(self) -> None:
        self._held: dict[str, frozenset[int]] = {}
        self._gates: dict[int, _Gate] = {}

    def hold(self, holder: str, user_ids: Collection[int]) -> None:
        """Let new events of these users wait, each for a second at most.

        The next call with the same holder replaces the users; a call without users releases all.

        Args:
            holder: the plugin.
            user_ids: the users whose events wait.
        """
        self._held[holder] = frozenset(user_ids)
        held = frozenset[int]().union(*self._held.values())
        for user_id in held:
            if user_id in self._gates:
                self._gates[user_id].hold()
            else:
                self._gates[user_id] = _Gate()
        for user_id in self._gates.keys() - held:
            self._gates[user_id].open()
            if not self._gates[user_id].is_needed:
                del self._gates[user_id]

    def is_held(self, user_id: int) -> bool:
        """Return whether new events of a user wait."""
        gate = self._gates.get(user_id)
        return gate is not None and gate.is_held

    async def wait(self, user_id: int) -> None:
        """Wait for the turn of a user's new event: not at all, or for a second at most."""
        gate = self._gates.get(user_id)
        if gate is not None and gate.is_needed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LIMIT):
                    await gate.wait()


class _Gate:
    """Gate of one user, held at first.

    Attributes:
        is_held: whether no event may enter.
    """

    def __init__(self) -> None:
        self.is_held = True
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._step = 1
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_needed(self) -> bool:
        """True while the gate is held or an event waits."""
        return self.is_held or self._timer is not None

    def hold(self) -> None:
        self.is_held = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def open(self) -> None:
        if self.is_held:
            self.is_held = False
            self._step = 1
            self._admit()

    async def wait(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _admit(self) -> None:
        admitted = 0
        while self._waiting and admitted < self._step:
            turn = self._waiting.popleft()
            # Not the turns of those who have waited for too long.
            if not turn.done():
                turn.set_result(None)
                admitted += 1
        self._step *= 2
        self._timer = None
        if self._waiting:
            self._timer = asyncio.get_running_loop().call_later(_STEP_SECONDS, self._admit)
