"""Lets attempts that may be in vain begin a few at a time."""

from __future__ import annotations

import asyncio
from collections import deque

_AT_ONCE = 2


class Gate:
    """A queue that the event loop opens for a few each time it turns.

    To connect costs some tenths of a millisecond, and so does a timeout. Hundreds of
    endpoints that hang began at one instant would time out at one, again and again,
    and nothing else would run meanwhile. What has to pass here is spread instead.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_opening = False

    async def enter(self) -> None:
        """Wait for one's turn."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        if not self._is_opening:
            self._is_opening = True
            loop.call_soon(self._open, loop)
        await turn

    def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        for _ in range(min(_AT_ONCE, len(self._waiting))):
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
        self._is_opening = bool(self._waiting)
        if self._is_opening:
            loop.call_soon(self._open, loop)
