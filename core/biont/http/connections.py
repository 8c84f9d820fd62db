"""Connections of the HTTP server: bounded in number and in time.

    connected --head--> answering --answer--> idle --head--> answering

A connection that is not answering waits for a request. If a client does not complete the first
head within `head_timeout`, or any further head within `idle_timeout`, the connection is closed.
If a client accepts no byte of an answer for `write_timeout`, the connection is dropped.

A connection is idle after the answer, also while the rest of an unread body still arrives.

While `limit` connections are open, a new one takes the place of the connection that is idle for
the longest time, or else of the oldest that has sent no request yet, or else of the client that
has read nothing of its answer for the longest time, if that is some seconds. The new connection
is refused with 503 if all others are answering. So clients without a key exclude no others, and
descriptors remain for the database, the deliveries and the log.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
import termios
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import chain
from typing import cast

import structlog
from aiohttp import web

from biont.http.error_responses import respond_problem
from biont.http.head_limits import FIELD_LIMIT, PATH_LIMIT, describe_bad_head
from biont.http.problem_details import ProblemDetails
from biont.http.request_id import begin_request

_LOG_INTERVAL = 60.0
# A client that reads has taken a part of its answer within this time, also over a poor network.
_PATIENCE = 5.0
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
        write_timeout: the seconds for which a client may accept no byte of its answer.
    """

    connections: int
    head_timeout: float
    idle_timeout: float
    write_timeout: float


@dataclass(slots=True)
class OpenConnections:
    """The open connections and their limit.

    Connections without an answer so far are in the order of their opening, the others in the
    order of their last answer.
    """

    limit: int
    _new: dict[ClientConnection, None] = field(default_factory=dict)
    _answered: dict[ClientConnection, None] = field(default_factory=dict)
    _logged_at: float | None = None

    def admit(self, connection: ClientConnection, now: float) -> bool:
        """Add a new connection; return False if all places are taken by requests.

        Args:
            connection: the new connection.
            now: the time of the event loop.
        """
        if len(self._new) + len(self._answered) >= self.limit:
            self._log(now)
            replaced = self._find_replaceable(now)
            if replaced is None:
                return False
            self.remove(replaced)
            replaced.give_way()
        self._new[connection] = None
        return True

    def note_answer(self, connection: ClientConnection) -> None:
        """Note that a connection has got an answer just now."""
        known = connection in self._new or connection in self._answered
        self.remove(connection)
        if known:
            self._answered[connection] = None

    def remove(self, connection: ClientConnection) -> None:
        """Remove a connection, which may have been removed before."""
        self._new.pop(connection, None)
        self._answered.pop(connection, None)

    def drop_stalled(self, now: float, seconds: float) -> None:
        """Drop the connections whose clients have accepted no byte for some time.

        Args:
            now: the time of the event loop.
            seconds: the longest time without progress.
        """
        for connection in [*self._new, *self._answered]:
            connection.drop_if_stalled(now, seconds)

    def _find_replaceable(self, now: float) -> ClientConnection | None:
        # Idle clients connect again when they have a request; a new client may be about to send
        # the first.
        waiting = (each for each in chain(self._answered, self._new) if each.is_waiting)
        if (found := next(waiting, None)) is not None:
            return found
        unread = {each: each.find_stall(now) for each in chain(self._answered, self._new)}
        longest = max(unread, key=unread.__getitem__, default=None)
        return longest if longest is not None and unread[longest] >= _PATIENCE else None

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
            max_line_size=PATH_LIMIT,
            max_field_size=FIELD_LIMIT,
        )
        self._connections = connections
        self._head_timeout = limits.head_timeout
        self._head_timer: asyncio.TimerHandle | None = None
        # The base class forgets its transport before all data is sent.
        self._wire: asyncio.WriteTransport | None = None
        self._answers = 0
        self._written = 0
        self._progress = (0, loop.time())

    @property
    def is_waiting(self) -> bool:
        """True while the connection waits for a request, or for the rest of a head.

        Also while the rest of a body arrives after the answer. A client that has not yet accepted
        the whole of an answer is still being answered.
        """
        is_idle = self._request_count == self._answers
        return is_idle and self._wire is not None and not self._wire.get_write_buffer_size()

    def find_stall(self, now: float) -> float:
        """Return the seconds for which data has waited without being accepted by the client.

        Args:
            now: the time of the event loop.
        """
        if self._wire is None or not self._wire.get_write_buffer_size():
            return 0.0
        return now - self._progress[1]

    def give_way(self) -> None:
        """Close the connection for a new one."""
        if self._wire is not None and self._wire.get_write_buffer_size():
            self._reset(self._wire)
        self.force_close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request, or refuse the connection."""
        # A cast, because the transports of uvloop inherit nothing from asyncio's.
        wire = cast("asyncio.WriteTransport", transport)
        if not self._connections.admit(self, self._loop.time()):
            self._force_close = True
            wire.write(_REFUSAL)
            wire.close()
            return
        self._wire = wire
        super().connection_made(transport)
        self._head_timer = self._loop.call_later(self._head_timeout, self._check_head)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the place of the connection to others."""
        self._connections.remove(self)
        self._wire = None
        if self._head_timer is not None:
            self._head_timer.cancel()
        super().connection_lost(exc)

    def log_access(
        self, request: web.BaseRequest, response: web.StreamResponse, time: float | None
    ) -> None:
        """Note the end of an answer; the base class calls this method without a log too."""
        self._answers += 1
        self._written += request.writer.output_size
        self._connections.note_answer(self)
        super().log_access(request, response, time)

    def drop_if_stalled(self, now: float, seconds: float) -> None:
        """Drop the connection if data waits and the client has accepted none for some time."""
        if self._wire is None:
            return
        buffered = self._wire.get_write_buffer_size()
        if not buffered:
            self._progress = (0, now)
            return
        socket_ = self._wire.get_extra_info("socket")
        sent = self._count_written() - buffered - _count_unacknowledged(socket_.fileno())
        accepted, since = self._progress
        if sent != accepted:
            self._progress = (sent, now)
        elif now - since >= seconds:
            _log.info("dropped a client that does not read its answer", seconds=seconds)
            self._reset(self._wire)

    @staticmethod
    def _reset(wire: asyncio.WriteTransport) -> None:
        # With a reset, because the kernel would go on sending what it has buffered.
        socket_ = wire.get_extra_info("socket")
        socket_.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.abort()

    def _count_written(self) -> int:
        """Return the bytes of all answers that were handed to the transport."""
        request = self._current_request
        return self._written + (0 if request is None else request.writer.output_size)

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
        status, detail = describe_bad_head(exc)
        problem = ProblemDetails(
            status,
            detail,
            headers={"X-Request-ID": request_id},
            request_id=request_id,
        )
        answer = respond_problem(problem)
        answer.force_close()
        return answer

    def _check_head(self) -> None:
        if self._request_count == 0:
            self.force_close()


def _count_unacknowledged(descriptor: int) -> int:
    """Return the bytes that the kernel has, and the client has not accepted.

    The kernel takes more only after a large part of its buffer is sent, so that a slow client
    would seem to stand still.
    """
    try:
        answer = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))
    except OSError:
        # Not known of a socket on every system.
        return 0
    return int.from_bytes(answer, sys.byteorder)
