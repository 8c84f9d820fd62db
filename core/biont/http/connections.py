"""Connections of the HTTP server: bounded in number and in time.

    connected --head--> answering --answer--> idle --head--> answering

A connection that is not answering waits for a request. If a client does not complete the first
head within `head_timeout`, or any further head within `idle_timeout`, the connection is closed.
While `limit` connections are open, a new one takes the place of the oldest that waits, and is
refused with 503 if none waits. So silent clients shut nobody out, and descriptors remain for the
database, the deliveries and the log.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast

import structlog
from aiohttp import web

from biont.http.error_responses import respond_problem
from biont.http.problem_details import ProblemDetails
from biont.http.request_id import begin_request

_RESERVE = 64
_HIGHEST_LIMIT = 10_000
_LISTEN_QUEUE = 128
_LOG_INTERVAL = 60.0
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
    b"Content-Length: 0\r\n\r\n"
)

_log = structlog.get_logger("biont.http")


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of connections.

    Attributes:
        connections: the largest number of connections; 0 for as many as the descriptors permit.
        head_timeout: the seconds until the head of the first request is complete.
        idle_timeout: the seconds from an answer until the head of the next request is complete.
    """

    connections: int
    head_timeout: float
    idle_timeout: float


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


@dataclass(slots=True)
class OpenConnections:
    """The open connections, oldest first, and their limit."""

    limit: int
    _open: dict[ClientConnection, None] = field(default_factory=dict)
    _logged_at: float | None = None

    def admit(self, connection: ClientConnection, now: float) -> bool:
        """Add a new connection; return False if all places are taken by requests.

        Args:
            connection: the new connection.
            now: the time of the event loop.
        """
        if len(self._open) >= self.limit:
            waiting = next((each for each in self._open if each.is_waiting), None)
            self._log(now)
            if waiting is None:
                return False
            self.remove(waiting)
            waiting.force_close()
        self._open[connection] = None
        return True

    def remove(self, connection: ClientConnection) -> None:
        """Remove a connection, which may have been removed before."""
        self._open.pop(connection, None)

    def _log(self, now: float) -> None:
        # Anybody can open connections, so the log must not grow with each.
        if self._logged_at is None or now - self._logged_at >= _LOG_INTERVAL:
            self._logged_at = now
            _log.warning(
                "the limit of connections is reached; idle ones are closed, others refused",
                limit=self.limit,
                setting="server.connections",
            )


class ClientConnection(web.RequestHandler):
    """Connection of one client."""

    def __init__(
        self,
        server: web.Server,
        connections: OpenConnections,
        limits: ConnectionLimits,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=limits.idle_timeout,
            access_log=None,  # type: ignore[arg-type]  # as web.AppRunner passes on
            auto_decompress=False,
        )
        self._connections = connections
        self._head_timeout = limits.head_timeout
        self._head_timer: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """True while the connection waits for a request, or for the rest of a head."""
        return self._waiter is not None and not self._waiter.done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request, or refuse the connection."""
        if not self._connections.admit(self, self._loop.time()):
            self._force_close = True
            # A cast, because the transports of uvloop inherit nothing from asyncio's.
            cast("asyncio.WriteTransport", transport).write(_REFUSAL)
            transport.close()
            return
        super().connection_made(transport)
        self._head_timer = self._loop.call_later(self._head_timeout, self._check_head)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the place of the connection to others."""
        self._connections.remove(self)
        if self._head_timer is not None:
            self._head_timer.cancel()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return a problem document for a request that is not HTTP."""
        answer = super().handle_error(request, status, exc, message)
        if status != HTTPStatus.BAD_REQUEST:
            return answer
        request_id = begin_request(request)
        # Without the text of the parser, which quotes the client's bytes.
        problem = ProblemDetails(
            status,
            "the request is not valid HTTP/1.1",
            headers={"X-Request-ID": request_id},
            request_id=request_id,
        )
        answer = respond_problem(problem)
        answer.force_close()
        return answer

    def _check_head(self) -> None:
        if self._request_count == 0:
            self.force_close()


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

    def _connect(self) -> ClientConnection:
        server = self._runner.server
        if server is None:
            raise RuntimeError("the runner is not set up")
        return ClientConnection(
            server, self._connections, self._limits, asyncio.get_running_loop()
        )
