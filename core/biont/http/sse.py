"""Server-sent events (HTML standard, section 9.2): encoder, streaming response and reader.

An event is a few `name: value` lines and an empty line. Lines that begin with a colon are
comments; a sender uses them to keep a silent connection open.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

from aiohttp import web

_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    # Without this header nginx collects events until its buffer is full.
    "X-Accel-Buffering": "no",
}
_FINAL_WRITE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """Event that a reader has received.

    Attributes:
        id: the last `id` that the stream has sent so far; may be empty.
        event: the event's name; ``message`` where the sender names none.
        data: the text of all `data` lines.
    """

    id: str
    event: str
    data: str


def encode_sse(data: bytes, *, event: str | None = None, event_id: str | None = None) -> bytes:
    """Return an event as bytes for `EventStreamResponse.send`.

    Args:
        data: the content, usually JSON in UTF-8.
        event: the event's name, without line breaks.
        event_id: the place from which a client that reconnects continues, without line breaks.
    """
    lines = b"" if event_id is None else b"id: %s\n" % event_id.encode()
    if event is not None:
        lines += b"event: %s\n" % event.encode()
    return lines + b"data: %s\n\n" % data.replace(b"\n", b"\ndata: ")


def encode_sse_comment(text: str) -> bytes:
    """Return a comment, which clients ignore, as bytes for `EventStreamResponse.send`."""
    return f": {text}\n\n".encode()


async def read_sse(lines: AsyncIterable[bytes]) -> AsyncIterator[ServerSentEvent]:
    """Yield each event of a stream as soon as the stream has completed the event.

    Args:
        lines: the lines of a response, for example aiohttp's `response.content`.
    """
    last_id, event, data = "", "", list[str]()
    async for raw in lines:
        line = raw.decode().rstrip("\r\n")
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            # Without data there is no event: the standard says so, and comments rely on it.
            if data:
                yield ServerSentEvent(last_id, event or "message", "\n".join(data))
            event, data = "", []
        elif name == "data":
            data.append(value)
        elif name == "event":
            event = value
        elif name == "id":
            last_id = value


class EventStreamResponse(web.StreamResponse):
    """Response that sends server-sent events until its client leaves.

    Args:
        http: the request that the stream answers.

    Attributes:
        silence_limit: the seconds of silence after which a comment is sent, because proxies close
            connections that stay silent (nginx after 60 seconds).
    """

    silence_limit = 15.0

    def __init__(self, http: web.Request) -> None:
        super().__init__(headers=_HEADERS)
        self._http = http
        self._sent_at = time.monotonic()
        self._is_writing = False

    @property
    def has_client(self) -> bool:
        """Return whether the client is connected, as far as the server knows."""
        transport = self._http.transport
        return transport is not None and not transport.is_closing()

    async def start(self) -> None:
        """Send the headers.

        Raises:
            ConnectionError: the client has left.
        """
        await self.prepare(self._http)

    async def send(self, data: bytes) -> None:
        """Send encoded events or comments; wait while the client does not read.

        Raises:
            ConnectionError: the client has left.
        """
        self._sent_at = time.monotonic()
        self._is_writing = True
        try:
            await self.write(data)
        finally:
            self._is_writing = False

    async def send_keep_alive(self) -> None:
        """Send a comment that keeps a silent connection open.

        Raises:
            ConnectionError: the client has left.
        """
        await self.send(encode_sse_comment("still here"))

    async def break_silence(self) -> None:
        """Send a keep-alive comment if nothing was sent for `silence_limit` seconds.

        This method never waits for a client that does not read.

        Raises:
            ConnectionError: the client has left.
        """
        transport = self._http.transport
        is_silent = self.prepared and time.monotonic() - self._sent_at >= self.silence_limit
        if is_silent and transport is not None and transport.get_write_buffer_size() == 0:
            await self.send_keep_alive()

    async def send_last(self, data: bytes) -> None:
        """Send the last events; disconnect a client that does not read within two seconds."""
        try:
            async with asyncio.timeout(_FINAL_WRITE_SECONDS):
                if not self.prepared:
                    await self.start()
                await self.write(data)
        except ConnectionError:
            self.force_close()
        except TimeoutError:
            self._abort()

    def abort_blocked_write(self) -> None:
        """Close the connection if `send` waits for a client that does not read."""
        if self._is_writing:
            self._abort()

    def _abort(self) -> None:
        if self._http.transport is not None:
            self._http.transport.abort()
