"""HTTP connection: one end of an HTTP/1.1 connection, which sends one request after the other.

    idle --send--> waiting --answer complete--> idle, or closed
                       |
                       +--- time is up, connection lost, request cancelled ---> closed

A connection that a receiver closes without saying so is the common trouble of a client that
keeps connections. If the end comes before the beginning of an answer on a connection that
has been used before, the receiver has most likely never read the request: the error is then
`StaleConnection`, and the request can go out again on a fresh connection. HTTP permits that
(RFC 9112, section 9.3.1) for requests that may arrive twice. Late bytes of the answer before
are no beginning. An answer that has begun is never asked for again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from typing import Protocol, cast

from biont.egress.request import OutgoingRequest
from biont.egress.response import EgressResponse, ResponseReader
from biont.exceptions import RequestFailed, RequestStep


class StaleConnection(Exception):
    """The receiver closed a used connection before it answered a request."""


Answer = asyncio.Future[EgressResponse]
"""The answer to a request that is under way."""

Origin = tuple[str, str, int]
"""Scheme, host and port of a URL."""


class Keeper(Protocol):
    """Keeper of connections: the pool."""

    def add(self, connection: HttpConnection) -> None:
        """Note that a connection is open."""

    def keep(self, connection: HttpConnection) -> None:
        """Keep a connection that is free for another request."""

    def drop(self, connection: HttpConnection) -> None:
        """Note that a connection has ended."""


class HttpConnection(asyncio.Protocol):
    """Protocol of one connection; all calls on the event loop.

    Args:
        loop: the event loop.
        origin: the other end.
        keeper: keeps the connection between two requests.

    Attributes:
        origin: the other end.
        idle_since: the time of the loop at which the last answer was complete.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, origin: Origin, keeper: Keeper) -> None:
        self._loop = loop
        self._keeper = keeper
        self.origin = origin
        self._reader = ResponseReader()
        self._answer: Answer | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_reused = False
        self._may_write = asyncio.Event()
        self._may_write.set()
        self.idle_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, for asyncio."""
        # uvloop's transports have the same methods, and another base class.
        self._transport = cast("asyncio.Transport", transport)
        self._keeper.add(self)

    @property
    def is_usable(self) -> bool:
        """True if another request may be sent."""
        return not self._transport.is_closing()

    def close(self) -> None:
        """Close the connection at once; a waiting request is cancelled."""
        answer = self._answer
        if answer is not None:
            self._end_wait()
            answer.cancel()
        self._transport.abort()

    async def exchange(self, request: OutgoingRequest) -> EgressResponse:
        """Send a request, and return the answer.

        Raises:
            TimeoutError: the headers of the answer were not complete in time.
            RequestFailed: the connection was lost, or the answer is not HTTP.
            StaleConnection: a used connection has ended before the answer.
        """
        self._request = request
        self._reader.begin(request.limit, is_head_request=request.is_head)
        answer: Answer = self._loop.create_future()
        self._answer = answer
        self._timer = self._loop.call_at(request.deadline, self._give_up, answer)
        self._transport.write(request.start)
        try:
            if request.pieces is not None:
                await self._send_pieces(request.pieces, answer, is_chunked=request.is_chunked)
            return await answer
        except BaseException:
            # The caller was cancelled, or the pieces have failed: the connection is unusable.
            self.close()
            raise

    async def _send_pieces(
        self,
        pieces: AsyncIterable[bytes],
        answer: Answer,
        *,
        is_chunked: bool,
    ) -> None:
        async for piece in pieces:
            await self._may_write.wait()
            if answer.done():
                return  # the receiver wants no more
            if piece:
                self._transport.write(
                    b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece
                )
        if is_chunked and not answer.done():
            self._transport.write(b"0\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        """Take in bytes, for asyncio."""
        answer = self._answer
        if answer is None:
            # Nothing was asked: whatever these bytes are, the next answer would be wrong.
            self._transport.abort()
            return
        had_head = self._reader.has_head
        self._reader.feed(data)
        if self._reader.is_complete:
            self._finish(answer)
        elif self._reader.has_head and not had_head:
            self._shorten_wait(answer)

    def connection_lost(self, _: Exception | None) -> None:
        """Note the end, for asyncio."""
        self._may_write.set()
        if self._answer is not None:
            self._reader.end()
            self._finish(self._answer)
        self._keeper.drop(self)

    def pause_writing(self) -> None:
        """Wait before further pieces, for asyncio."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """Continue with further pieces, for asyncio."""
        self._may_write.set()

    def _shorten_wait(self, answer: Answer) -> None:
        seconds = self._request.body_wait
        if seconds is None or self._timer is None:
            return
        due = self._loop.time() + seconds
        if due < self._request.deadline:
            self._timer.cancel()
            self._timer = self._loop.call_at(due, self._give_up, answer)

    def _give_up(self, answer: Answer) -> None:
        if self._reader.has_head:
            self._reader.give_up("the body was not complete in time")
            self._finish(answer)
        else:
            self._fail(answer, TimeoutError("no complete answer in time"))

    def _finish(self, answer: Answer) -> None:
        """Give the answer to the caller, and the connection to the next request."""
        reader = self._reader
        if not reader.has_head:
            if self._is_reused and not reader.has_begun:
                self._fail(answer, StaleConnection())
            else:
                self._fail(
                    answer, RequestFailed(reader.problem or "no answer", RequestStep.ANSWER)
                )
            return
        now = self._loop.time()
        self._end_wait()
        if not answer.done():
            answer.set_result(reader.make_response(now - self._request.started))
        if reader.may_continue and self.is_usable:
            self._is_reused = True
            self.idle_since = now
            self._keeper.keep(self)
        else:
            self._transport.abort()

    def _fail(self, answer: Answer, error: Exception) -> None:
        self._end_wait()
        if not answer.done():
            answer.set_exception(error)
        self._transport.abort()

    def _end_wait(self) -> None:
        self._answer = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
