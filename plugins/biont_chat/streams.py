"""The answers that are being streamed, and how they come to an early end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from biont import Request, Service

_PATROL = 1.0
"""How often a silent stream's client is looked for, in seconds."""


class OpenStream:
    """One answer that is being streamed.

    Args:
        request: what has asked for it.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._limit = asyncio.timeout(None)

    @property
    def has_client(self) -> bool:
        """Whether the client is there, as far as is known."""
        transport = self._request.http.transport
        return transport is not None and not transport.is_closing()

    @property
    def was_ended(self) -> bool:
        """Whether `end` has cut the answer off."""
        return self._limit.expired()

    def end(self) -> None:
        """Cut the answer off."""
        if not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def go_on(self) -> AsyncIterator[None]:
        """Go on inside until `end` is called; whatever is awaited then is given up."""
        try:
            async with self._limit:
                yield
        except TimeoutError:
            if not self.was_ended:
                raise


class Streams:
    """All answers of one workbench that are being streamed."""

    def __init__(self) -> None:
        self._open: set[OpenStream] = set()

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[OpenStream]:
        """Have a stream that ends when its client leaves."""
        stream = OpenStream(request)
        self._open.add(stream)
        try:
            async with stream.go_on():
                yield stream
        finally:
            self._open.discard(stream)

    async def watch(self) -> None:
        """End, again and again, the streams whose client has left without a word.

        One that is written to notices by itself.
        """
        while True:
            await asyncio.sleep(_PATROL)
            for stream in list(self._open):
                if not stream.has_client:
                    stream.end()

    def end(self) -> None:
        """End every stream."""
        for stream in list(self._open):
            stream.end()


STREAMS = Service[Streams]("chat streams", provider="chat")
"""The streams of a workbench."""
