"""An answer as server-sent events."""

from __future__ import annotations

import asyncio

import orjson
from aiohttp import web
from pydantic import BaseModel

from biont import Chunk, Request, TextChunk, ToolCallChunk, UsageChunk

_PATIENCE = 2.0
"""How long the last event may wait for a client who does not read, in seconds."""

HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # so that a proxy passes each event on at once
}


class EventResponse(web.StreamResponse):
    """A response that is sent event by event.

    Args:
        request: what is answered.
    """

    def __init__(self, request: Request) -> None:
        super().__init__(headers=HEADERS)
        self._http = request.http

    async def start(self) -> None:
        """Send the headers.

        Raises:
            ConnectionError: the client has left.
        """
        await self.prepare(self._http)

    async def send_chunk(self, chunk: Chunk) -> None:
        """Send a piece of an answer; its end is not sent.

        Raises:
            ConnectionError: the client has left.
        """
        if isinstance(chunk, TextChunk):
            await self.write(b'event: token\ndata: {"text":%s}\n\n' % orjson.dumps(chunk.text))
        elif isinstance(chunk, ToolCallChunk):
            await self.send("tool", chunk.call)
        elif isinstance(chunk, UsageChunk):
            await self.send("usage", chunk.usage)

    async def send(self, event: str, data: object) -> None:
        """Send one event.

        Raises:
            ConnectionError: the client has left.
        """
        await self.write(
            b"event: %s\ndata: %s\n\n" % (event.encode(), orjson.dumps(data, default=_to_json))
        )

    async def send_last(self, event: str, data: object) -> None:
        """Send one event if the client is there and reads; let go of one who does not read."""
        try:
            async with asyncio.timeout(_PATIENCE):
                if not self.prepared:
                    await self.start()
                await self.send(event, data)
        except ConnectionError:
            self.force_close()
        except TimeoutError:
            if self._http.transport is not None:
                self._http.transport.abort()


def _to_json(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(type(value).__name__)
