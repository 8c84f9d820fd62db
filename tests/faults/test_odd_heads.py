"""Heads of requests without a usable path or header."""

from __future__ import annotations

import asyncio

import pytest
from conftest import StartServer
from yarl import URL


@pytest.mark.parametrize(
    ("head", "status", "detail"),
    [
        (b"OPTIONS * HTTP/1.1\r\n", b"204", b"Allow: DELETE, GET, HEAD, OPTIONS, PATCH, POST"),
        (b"GET * HTTP/1.1\r\n", b"400", b"application/problem+json"),
        (
            b"GET /api/v1/health HTTP/1.1\r\nA: " + b"a" * 9000 + b"\r\n",
            b"431",
            b"a header is too long",
        ),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n", b"414", b"path and query are too long"),
    ],
)
async def test_requests_without_a_usable_path_or_header_are_answered_by_the_rules(
    start_server: StartServer, head: bytes, status: bytes, detail: bytes
) -> None:
    server = await start_server()
    url = URL(server.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(head + b"Host: x\r\nConnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 30)
    assert (answer.split()[1], detail in answer) == (status, True), answer
    assert b"X-Request-ID: " in answer
    writer.transport.abort()
