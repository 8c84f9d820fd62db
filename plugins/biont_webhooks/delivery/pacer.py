"""Lets attempts that may be in vain begin one after the other."""

from __future__ import annotations

import asyncio
from collections import deque


class Pacer:
    """A queue of which the event loop lets one pass at a time.

    To connect costs some tenths of a millisecond, and so does a timeout. Hundreds of
    endpoints that hang, begun at one instant, would time out at one, again and again,
    and nothing else would run meanwhile. What has to pass here is spread instead.

    Args:
        interval: the least time between two, in seconds; with 0 one passes each time
            the event loop turns.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_closed = False

    async def enter(self) -> None:
        """Wait for one's turn."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if not self._is_closed:
            self._open()
        await turn

    def _open(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                break
        self._is_closed = True
        asyncio.get_running_loop().call_later(self._interval, self._reopen)

    def _reopen(self) -> None:
        self._is_closed = False
        if self._waiting:
            self._open()
