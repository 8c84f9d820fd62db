"""An answer as server-sent events."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

import orjson
from aiohttp import web

from biont import Request
from biont.http import ProblemDetails
from biont.llm import Chunk, TextChunk, ToolCallChunk, UsageChunk
from biont_chat.views import StreamEnd

_PATIENCE = 2.0
"""How long the last event may wait for a client who does not read, in seconds."""

KEEP_ALIVE = 15.0
"""After how many seconds of silence a comment is sent."""

_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # so that a proxy passes each event on at once
}


class Wording(Protocol):
    """How the events of an answer are worded."""

    def write_chunk(self, chunk: Chunk) -> bytes:
        """Return a piece of the answer; empty if it is not told."""
        ...

    def write_end(self, end: StreamEnd) -> bytes:
        """Return what ends a stream."""
        ...

    def write_problem(self, problem: ProblemDetails) -> bytes:
        """Return what ends a stream that has gone wrong."""
        ...


class OwnWording:
    """Events as `POST /api/v1/chat` promises them."""

    def write_chunk(self, chunk: Chunk) -> bytes:
        """Return a ``token``, ``tool`` or ``usage`` event."""
        if isinstance(chunk, TextChunk):
            return b'event: token\ndata: {"text":%s}\n\n' % orjson.dumps(chunk.text)
        if isinstance(chunk, ToolCallChunk):
            return _write("tool", chunk.call)
        if isinstance(chunk, UsageChunk):
            return _write("usage", chunk.usage)
        return b""

    def write_end(self, end: StreamEnd) -> bytes:
        """Return a ``done`` event."""
        return _write("done", end.model_dump())

    def write_problem(self, problem: ProblemDetails) -> bytes:
        """Return an ``error`` event."""
        return _write("error", problem.to_document())


class EventResponse(web.StreamResponse):
    """A response that is sent event by event.

    Args:
        request: what is answered.
        wording: how the events are worded.
    """

    def __init__(self, request: Request, wording: Wording) -> None:
        super().__init__(headers=_HEADERS)
        self._http = request.http
        self._sent_at = time.monotonic()
        self.wording = wording

    @property
    def has_client(self) -> bool:
        """Whether the client is there, as far as is known."""
        transport = self._http.transport
        return transport is not None and not transport.is_closing()

    async def start(self) -> None:
        """Send the headers.

        Raises:
            ConnectionError: the client has left.
        """
        await self.prepare(self._http)

    async def send_chunk(self, chunk: Chunk) -> None:
        """Send a piece of an answer.

        Raises:
            ConnectionError: the client has left.
        """
        data = self.wording.write_chunk(chunk)
        if data:
            self._sent_at = time.monotonic()
            await self.write(data)

    async def break_silence(self) -> None:
        """Send a comment where nothing was sent for long: a proxy may close what is silent.

        It never waits for a client who does not read.

        Raises:
            ConnectionError: the client has left.
        """
        transport = self._http.transport
        silent = self.prepared and time.monotonic() - self._sent_at >= KEEP_ALIVE
        if silent and transport is not None and transport.get_write_buffer_size() == 0:
            self._sent_at = time.monotonic()
            await self.write(b": still here\n\n")

    async def send_last(self, data: bytes) -> None:
        """Send the last event if the client is there and reads; let go of one who does not."""
        try:
            async with asyncio.timeout(_PATIENCE):
                if not self.prepared:
                    await self.start()
                await self.write(data)
        except ConnectionError:
            self.force_close()
        except TimeoutError:
            if self._http.transport is not None:
                self._http.transport.abort()


def _write(event: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event.encode(), orjson.dumps(data))
