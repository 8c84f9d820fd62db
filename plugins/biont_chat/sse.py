"""Streamed answers as server-sent events."""

from __future__ import annotations

from typing import Protocol

import orjson

from biont import Request
from biont.http import EventStreamResponse, ProblemDetails, encode_sse
from biont.llm import Chunk, TextChunk, ToolCallChunk, UsageChunk
from biont_chat.schemas import StreamEnd


class EventFormat(Protocol):
    """Format of the events of an answer."""

    def format_chunk(self, chunk: Chunk) -> bytes:
        """Return the event of a chunk; empty for a chunk without an event."""
        ...

    def format_end(self, end: StreamEnd) -> bytes:
        """Return the events that end a stream."""
        ...

    def format_problem(self, problem: ProblemDetails) -> bytes:
        """Return the events that end a failed stream."""
        ...


class BiontEventFormat:
    """Event format of `POST /api/v1/chat`."""

    def format_chunk(self, chunk: Chunk) -> bytes:
        """Return a ``token``, ``tool`` or ``usage`` event."""
        if isinstance(chunk, TextChunk):
            return _format_event("token", {"text": chunk.text})
        if isinstance(chunk, ToolCallChunk):
            return _format_event("tool", chunk.call)
        if isinstance(chunk, UsageChunk):
            return _format_event("usage", chunk.usage)
        return b""

    def format_end(self, end: StreamEnd) -> bytes:
        """Return a ``done`` event."""
        return _format_event("done", end.model_dump())

    def format_problem(self, problem: ProblemDetails) -> bytes:
        """Return an ``error`` event."""
        return _format_event("error", problem.to_document())


class EventResponse(EventStreamResponse):
    """Response that streams an answer in a given event format.

    Args:
        request: the request that is answered.
        event_format: format of the events.
    """

    def __init__(self, request: Request, event_format: EventFormat) -> None:
        super().__init__(request.http)
        self._event_format = event_format

    async def send_chunk(self, chunk: Chunk) -> None:
        """Send the event of a chunk.

        Raises:
            ConnectionError: the client has left.
        """
        data = self._event_format.format_chunk(chunk)
        if data:
            await self.send(data)


def _format_event(event: str, data: object) -> bytes:
    return encode_sse(orjson.dumps(data), event=event)
