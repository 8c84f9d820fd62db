"""Server-sent events: what the encoder writes is what the reader yields."""

from __future__ import annotations

from collections.abc import AsyncIterator

from biont.http import ServerSentEvent, encode_sse, encode_sse_comment, read_sse


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
