"""An answer as server-sent events."""

from __future__ import annotations

from typing import Protocol

import orjson

from biont import Request
from biont.http import EventStreamResponse, ProblemDetails, encode_sse
from biont.llm import Chunk, TextChunk, ToolCallChunk, UsageChunk
from biont_chat.views import StreamEnd


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
            return _write("token", {"text": chunk.text})
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


class EventResponse(EventStreamResponse):
    """Response that streams an answer in the given wording.

    Args:
        request: the request that the stream answers.
        wording: how the events are worded.
    """

    def __init__(self, request: Request, wording: Wording) -> None:
        super().__init__(request.http)
        self.wording = wording

    async def send_chunk(self, chunk: Chunk) -> None:
        """Send a piece of an answer.

        Raises:
            ConnectionError: the client has left.
        """
        data = self.wording.write_chunk(chunk)
        if data:
            await self.send(data)


def _write(event: str, data: object) -> bytes:
    return encode_sse(orjson.dumps(data), event=event)
