"""The answers that are being streamed, and how they come to an early end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from biont import Service
from biont_chat.sse import EventResponse

PATROL = 1.0
"""How often streams are looked after, in seconds."""


class OpenStream:
    """One answer that is being streamed.

    Args:
        response: by what it is sent.
    """

    def __init__(self, response: EventResponse) -> None:
        self._response = response
        self._limit = asyncio.timeout(None)

    @property
    def was_ended(self) -> bool:
        """Whether `end` has cut the answer off."""
        return self._limit.expired()

    def end(self) -> None:
        """Cut the answer off."""
        if not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())

    async def look_after(self) -> None:
        """End it if its client has left without a word, and let it not be silent for long."""
        if not self._response.has_client:
            self.end()
            return
        with suppress(ConnectionError):  # it is gone by the next time
            await self._response.break_silence()

    @asynccontextmanager
    async def go_on(self) -> AsyncIterator[None]:
        """Go on inside until `end` is called; whatever is awaited then is given up."""
        try:
            async with self._limit:
                yield
        except TimeoutError:
            if not self.was_ended:
                raise


class AnswerStreams:
    """All answers of one workbench that are being streamed."""

    def __init__(self) -> None:
        self._open: set[OpenStream] = set()

    @asynccontextmanager
    async def open(self, response: EventResponse) -> AsyncIterator[OpenStream]:
        """Have a stream that ends when its client leaves."""
        stream = OpenStream(response)
        self._open.add(stream)
        try:
            async with stream.go_on():
                yield stream
        finally:
            self._open.discard(stream)

    async def watch(self) -> None:
        """Look after each stream, again and again; one that is written to notices by itself."""
        while True:
            await asyncio.sleep(PATROL)
            for stream in list(self._open):
                await stream.look_after()

    def end(self) -> None:
        """End every stream."""
        for stream in list(self._open):
            stream.end()


STREAMS = Service[AnswerStreams]("chat streams", provider="chat")
"""The streams of a workbench."""
