"""Open chat streams, and their early end.

A stream goes through these states:

    open --answer complete--> done
     |
     +--client left, or shutdown--> interrupted

`OpenStream.interrupt` lets a timeout of the stream's context expire, which cancels whatever the
stream awaits, usually the model's next chunk. The caller then stores the partial answer. Writing
to a client notices that the client has left; a stream that writes nothing does not notice, so
`AnswerStreams.watch` looks at the connection of each stream every second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from biont import Service
from biont_chat.sse import EventResponse

WATCH_INTERVAL = 1.0
"""Seconds between two looks at the open streams."""


class OpenStream:
    """A streamed answer under way.

    Args:
        response: the response that sends the answer.
    """

    def __init__(self, response: EventResponse) -> None:
        self._response = response
        self._limit = asyncio.timeout(None)

    def interrupt(self) -> None:
        """Cut the answer off."""
        if not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())

    async def check_client(self) -> None:
        """Interrupt the stream if its client has left; otherwise keep the connection alive."""
        if not self._response.has_client:
            self.interrupt()
            return
        # A client that leaves during the write is found by the next check.
        with suppress(ConnectionError):
            await self._response.break_silence()

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Run the body until its end or until `interrupt`, which leaves the context silently."""
        try:
            async with self._limit:
                yield
        except TimeoutError:
            # The body may raise a TimeoutError of its own.
            if not self._limit.expired():
                raise


class AnswerStreams:
    """All open streams of a workbench."""

    def __init__(self) -> None:
        self._open: set[OpenStream] = set()

    @asynccontextmanager
    async def open(self, response: EventResponse) -> AsyncIterator[OpenStream]:
        """Register a stream; leave the context silently when the stream is interrupted."""
        stream = OpenStream(response)
        self._open.add(stream)
        try:
            async with stream.run():
                yield stream
        finally:
            self._open.discard(stream)

    async def watch(self) -> None:
        """Check the clients of all open streams at regular intervals, until cancelled."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            for stream in list(self._open):
                await stream.check_client()

    def interrupt(self) -> None:
        """Interrupt all open streams."""
        for stream in list(self._open):
            stream.interrupt()


STREAMS = Service[AnswerStreams]("chat streams", provider="chat")
"""The open streams of a workbench."""
