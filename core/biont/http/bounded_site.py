"""Address on which the HTTP server listens, with connections that are bounded.

The limit of connections leaves a reserve of descriptors to all other parts of the process.
"""

from __future__ import annotations

import asyncio
import resource
import socket

from aiohttp import web

from biont.http.connections import ClientConnection, ConnectionLimits, OpenConnections

_RESERVE = 64
_HIGHEST_LIMIT = 10_000
_LISTEN_QUEUE = 128
# The searches for stalled clients within the time after which a client is stalled, and the
# longest time between two searches: a connection makes room after a few seconds without progress.
_SWEEPS = 4
_SWEEP_INTERVAL = 1.0


def find_reserve() -> int:
    """Return the number of descriptors that connections leave to all other parts."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(_RESERVE, soft // 4)


def find_limit(wanted: int) -> int:
    """Return the number of connections that the descriptors of this process permit.

    Args:
        wanted: the operator's setting; 0 for as many as possible.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = _HIGHEST_LIMIT if soft == resource.RLIM_INFINITY else soft - find_reserve()
    return max(1, min(wanted or _HIGHEST_LIMIT, free))


class BoundedSite(web.BaseSite):
    """Address on which a runner listens, with bounded connections.

    Args:
        runner: the runner of the application, after its setup.
        host: the address.
        port: the port; 0 for a free port.
        limits: the limits of connections.
    """

    def __init__(
        self, runner: web.AppRunner, host: str, port: int, limits: ConnectionLimits
    ) -> None:
        super().__init__(runner)
        self._address = (host, port)
        self._limits = limits
        self._connections = OpenConnections(find_limit(limits.connections))
        self._sweep_timer: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        """The URL of the site."""
        return "http://{}:{}".format(*self._address)

    async def start(self) -> None:
        """Begin to listen."""
        await super().start()
        host, port = self._address
        # asyncio accepts `backlog` connections at once, before any of them can be refused: the
        # reserve of descriptors has to cover them.
        backlog = min(_LISTEN_QUEUE, find_reserve() // 4)
        server = await asyncio.get_running_loop().create_server(
            self._connect, host, port, backlog=backlog
        )
        for each in server.sockets:
            with socket.fromfd(each.fileno(), each.family, each.type) as copy:
                copy.listen(_LISTEN_QUEUE)
        self._server = server
        self._sweep()

    async def stop(self) -> None:
        """Stop listening."""
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        await super().stop()

    def _sweep(self) -> None:
        loop, seconds = asyncio.get_running_loop(), self._limits.write_timeout
        self._connections.drop_stalled(loop.time(), seconds)
        interval = min(_SWEEP_INTERVAL, seconds / _SWEEPS)
        self._sweep_timer = loop.call_later(interval, self._sweep)

    def _connect(self) -> ClientConnection:
        server = self._runner.server
        if server is None:
            raise RuntimeError("the runner is not set up")
        return ClientConnection(
            server, self._connections, self._limits, asyncio.get_running_loop()
        )
