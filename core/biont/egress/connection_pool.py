"""Connection pool: idle connections, kept for the next request to the same origin.

Node.js and uvicorn close an idle connection after 5 s; so idle connections are closed before. An
origin that closes connections without saying so gets none but fresh ones for a while.
"""

from __future__ import annotations

import asyncio
from collections import deque

from biont.egress.connection import HttpConnection, Origin

_IDLE_SECONDS = 4.0
_FRESH_SECONDS = 300.0
_FRESH_ORIGINS = 1024


class ConnectionPool:
    """All connections of a session.

    Args:
        loop: the event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._all: set[HttpConnection] = set()
        self._idle: dict[Origin, deque[HttpConnection]] = {}
        self._fresh_until: dict[Origin, float] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._is_empty = asyncio.Event()

    def take(self, origin: Origin) -> HttpConnection | None:
        """Return the connection that was used last, or None if none is free."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.is_usable:
                return connection
        return None

    def note_stale(self, origin: Origin) -> None:
        """Note that the origin has closed a kept connection without saying so."""
        self._fresh_until.pop(origin, None)
        while len(self._fresh_until) >= _FRESH_ORIGINS:
            del self._fresh_until[next(iter(self._fresh_until))]
        self._fresh_until[origin] = self._loop.time() + _FRESH_SECONDS
        for connection in self._idle.pop(origin, ()):
            connection.close()

    def add(self, connection: HttpConnection) -> None:
        """Note that a connection is open."""
        self._all.add(connection)

    def keep(self, connection: HttpConnection) -> None:
        """Keep a connection for the next request to its origin, if the origin permits it."""
        if self._loop.time() < self._fresh_until.get(connection.origin, 0.0):
            connection.close()
            return
        self._idle.setdefault(connection.origin, deque()).append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(_IDLE_SECONDS / 4, self._close_old)

    def drop(self, connection: HttpConnection) -> None:
        """Note that a connection has ended."""
        self._all.discard(connection)
        # An idle connection stays in its queue until `take` or the next sweep finds the end.
        if not self._all:
            self._is_empty.set()

    async def close(self) -> None:
        """Close all connections."""
        for connection in list(self._all):
            connection.close()
        self._is_empty.clear()
        if self._all:
            await self._is_empty.wait()
        if self._sweep is not None:
            self._sweep.cancel()

    def _close_old(self) -> None:
        oldest = self._loop.time() - _IDLE_SECONDS
        for origin, idle in list(self._idle.items()):
            # The longest idle is the first.
            while idle and (not idle[0].is_usable or idle[0].idle_since <= oldest):
                idle.popleft().close()
            if not idle:
                del self._idle[origin]
        self._sweep = None
        if self._idle:
            self._sweep = self._loop.call_later(_IDLE_SECONDS / 4, self._close_old)
