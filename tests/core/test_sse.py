"""Server-sent events: what the encoder writes is what the reader yields."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from biont.http import (
    EventStreamResponse,
    ServerSentEvent,
    encode_sse,
    encode_sse_comment,
    read_sse,
)


async def split_lines(stream: bytes) -> AsyncIterator[bytes]:
    for line in stream.splitlines(keepends=True):
        yield line


async def read_all(stream: bytes) -> list[ServerSentEvent]:
    return [event async for event in read_sse(split_lines(stream))]


async def test_reader_yields_encoded_events() -> None:
    stream = encode_sse(b'{"a": 1}', event="token", event_id="7") + encode_sse(b"[DONE]")
    assert await read_all(stream) == [
        ServerSentEvent("7", "token", '{"a": 1}'),
        ServerSentEvent("7", "message", "[DONE]"),
    ]


async def test_data_keeps_its_line_breaks() -> None:
    assert [event.data for event in await read_all(encode_sse(b"a\n\nb: c"))] == ["a\n\nb: c"]


async def test_reader_ignores_comments_and_incomplete_events() -> None:
    stream = encode_sse_comment("still here") + encode_sse(b"1") + b"event: cut\ndata: 2\n"
    assert await read_all(stream) == [ServerSentEvent("", "message", "1")]


async def test_reader_accepts_lines_that_end_in_crlf_and_fields_without_a_space() -> None:
    assert await read_all(b"id:3\r\ndata:x\r\n\r\n") == [ServerSentEvent("3", "message", "x")]


class Stream:
    """A server whose only route streams one event, and then does what the test asks."""

    def __init__(self, silence_limit: float) -> None:
        self._silence_limit = silence_limit
        self.response: EventStreamResponse | None = None
        self.go_on = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.response = response = EventStreamResponse(request)
        response.silence_limit = self._silence_limit
        await response.start()
        await response.send(encode_sse(b"1"))
        await response.break_silence()
        await self.go_on.wait()
        return response


@asynccontextmanager
async def open_stream(stream: Stream) -> AsyncIterator[ClientResponse]:
    app = web.Application()
    app.router.add_get("/", stream.answer)
    async with TestClient(TestServer(app, host="127.0.0.1")) as client, client.get("/") as opened:
        yield opened
        stream.go_on.set()


@pytest.mark.parametrize(
    ("silence_limit", "expected"),
    [(0.0, encode_sse(b"1") + encode_sse_comment("still here")), (1000.0, encode_sse(b"1"))],
)
async def test_a_silent_stream_gets_a_comment(silence_limit: float, expected: bytes) -> None:
    stream = Stream(silence_limit)
    async with open_stream(stream) as opened:
        assert opened.headers["Content-Type"] == "text/event-stream"
        assert opened.headers["Cache-Control"] == "no-store"
        stream.go_on.set()
        assert await opened.read() == expected


async def test_a_stream_knows_that_its_client_has_left() -> None:
    stream = Stream(1000.0)
    async with open_stream(stream) as opened:
        await opened.content.readline()
        assert stream.response is not None
        assert stream.response.has_client
        opened.close()
        async with asyncio.timeout(20):
            while stream.response.has_client:  # noqa: ASYNC110  # no event reports it
                await asyncio.sleep(0)
