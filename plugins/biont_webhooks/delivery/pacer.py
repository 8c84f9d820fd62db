"""Pacer: spaces out attempts to endpoints that may hang."""

from __future__ import annotations

import asyncio
from collections import deque


class Pacer:
    """Queue that lets a single attempt pass at a time.

    A connection costs some tenths of a millisecond, and a timeout costs the same. Hundreds
    of endpoints that hang, connected at one instant, would also time out at one instant,
    again and again, and block the event loop each time. The pacer spreads these attempts.

    Args:
        interval: the least time between two attempts, in seconds; 0 lets one attempt pass
            in each turn of the event loop.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_blocked = False

    async def wait_turn(self) -> None:
        """Wait until the caller may begin an attempt."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if not self._is_blocked:
            self._admit_next()
        await turn

    def _admit_next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            # The waiting task may have been cancelled: its turn goes to the next one.
            if not turn.done():
                turn.set_result(None)
                break
        self._is_blocked = True
        asyncio.get_running_loop().call_later(self._interval, self._unblock)

    def _unblock(self) -> None:
        self._is_blocked = False
        if self._waiting:
            self._admit_next()
