"""Silent, slow and too many connections to a real process."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator

import pytest
from conftest import MakeKey, StartServer
from support.process import Server
from yarl import URL

from biont.testing import ApiClient, WebhookReceiver


@pytest.fixture
def few_files() -> Iterator[None]:
    """Let processes that start meanwhile have 200 open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def _connect(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = URL(server.url)
    return await asyncio.open_connection(url.host, url.port)


@pytest.mark.usefixtures("few_files")
async def test_silent_connections_beyond_the_files_stop_neither_reads_nor_deliveries(
    start_server: StartServer, make_key: MakeKey, receiver: WebhookReceiver
) -> None:
    server = await start_server()
    key = await make_key()
    # The process has started by now; this one needs more files than that.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2000, hard), hard))
    silent = [await _connect(server) for _ in range(260)]
    try:
        async with ApiClient(server.url, key) as client:
            await client.post("/webhooks/outgoing/register", {"url": receiver.url})
            for number in range(20):
                await client.post("/notes", {"title": f"note {number}"})
                assert (await client.get("/notes?limit=1"))["data"]
            await receiver.wait_for(20)
    finally:
        for _, writer in silent:
            writer.transport.abort()
    assert "server.connections" in server.read_log()
    assert "Too many open files" not in server.read_log()


@pytest.mark.parametrize("head", [b"", b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nX-A: "])
async def test_a_connection_without_a_whole_head_is_closed(
    start_server: StartServer, head: bytes
) -> None:
    server = await start_server(server={"port": 0, "head_timeout": 0.5})
    reader, writer = await _connect(server)
    writer.write(head)
    assert await asyncio.wait_for(reader.read(), 30) == b""
    writer.close()


async def test_an_idle_connection_is_closed(start_server: StartServer) -> None:
    server = await start_server(server={"port": 0, "idle_timeout": 0.5})
    reader, writer = await _connect(server)
    writer.write(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await asyncio.wait_for(reader.read(), 30)).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_a_body_that_does_not_arrive_in_time_is_408(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server(server={"port": 0, "body_timeout": 0.5})
    key = await make_key()
    reader, writer = await _connect(server)
    writer.write(
        b"POST /api/v1/notes HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\n"
        b"Content-Length: 100\r\n\r\n{" % key.encode()
    )
    answer = await asyncio.wait_for(reader.readuntil(b"}"), 30)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"server.body_timeout" in answer
    writer.transport.abort()


async def test_a_place_of_an_idle_connection_goes_to_a_new_one(start_server: StartServer) -> None:
    server = await start_server(server={"port": 0, "connections": 1})
    opened = []
    for _ in range(3):
        reader, writer = await _connect(server)
        writer.write(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n"), 30)).startswith(b"HTTP/1.1 200")
        opened.append(writer)
    for writer in opened:
        writer.transport.abort()


async def test_a_connection_is_refused_while_all_places_are_used(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server(server={"port": 0, "connections": 1})
    key = await make_key()
    stream, writer = await _connect(server)
    writer.write(
        b"GET /api/v1/events/stream HTTP/1.1\r\nHost: x\r\nX-API-Key: %s\r\n\r\n" % key.encode()
    )
    assert (await asyncio.wait_for(stream.readuntil(b"\r\n"), 30)).startswith(b"HTTP/1.1 200")
    refused, other = await _connect(server)
    answer = await asyncio.wait_for(refused.read(), 30)
    assert answer.startswith(b"HTTP/1.1 503"), server.read_log()[-1500:]
    other.close()
    writer.transport.abort()


async def test_what_is_not_http_gets_a_problem_document(start_server: StartServer) -> None:
    server = await start_server()
    reader, writer = await _connect(server)
    writer.write(b"\x16\x03\x01 what is this\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 30)
    assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    assert b"application/problem+json" in answer
    assert b"what is this" not in answer
    writer.close()
