"""Silent, slow and too many connections to a real process."""

from __future__ import annotations

import asyncio
import resource
import select
import socket
import time
from collections.abc import Iterator

import pytest
from conftest import MakeKey, StartServer
from pydantic import JsonValue
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


async def test_idle_connections_make_room_before_those_without_a_request(
    start_server: StartServer,
) -> None:
    server = await start_server(server={"port": 0, "connections": 3})
    opened = [await _connect(server) for _ in range(3)]
    silent, first, second = opened
    for reader, writer in (first, second, first):
        assert await _ask(reader, writer) == 200
    # The connection that is idle for the longest time goes first, the silent one last.
    for gone in (second, first, silent):
        opened.append(await _connect(server))
        assert await asyncio.wait_for(gone[0].read(), 30) == b""
    for reader, writer in opened[3:]:
        assert await _ask(reader, writer) == 200
    for _, writer in opened:
        writer.transport.abort()


@pytest.mark.parametrize("path", ["/api/v1/notes", "/api/v1/health", "/nosuch"])
async def test_strangers_with_unfinished_bodies_make_room(
    start_server: StartServer, path: str
) -> None:
    server = await start_server(server={"port": 0, "connections": 3})
    opened = [await _connect(server) for _ in range(3)]
    for reader, writer in opened:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{"
        writer.write(head.encode())
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 30)
        assert int(answer.split()[1]) in {401, 404, 405}
    for _ in range(3):
        opened.append(await _connect(server))
        assert await _ask(*opened[-1]) == 200
    for _, writer in opened:
        writer.transport.abort()


async def test_strangers_that_do_not_read_their_answers_make_room(
    start_server: StartServer,
) -> None:
    # Longer than a client is waited for after it has stopped to read, a few seconds.
    server = await start_server(server={"port": 0, "connections": 2, "write_timeout": 600.0})
    url = URL(server.url)
    stalled = [socket.socket() for _ in range(2)]
    for each in stalled:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        each.connect((url.host, url.port))
        each.setblocking(False)
        each.send(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 60)
    async with asyncio.timeout(60):
        while True:
            reader, writer = await _connect(server)
            writer.write(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await asyncio.gather(reader.read(), return_exceptions=True)
            writer.transport.abort()
            if isinstance(answer[0], bytes) and answer[0].startswith(b"HTTP/1.1 200"):
                break
            await asyncio.sleep(0.1)
    for each in stalled:
        each.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    """Ask for the health on a connection that stays open; return the status."""
    writer.write(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    length = next(
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    await asyncio.wait_for(reader.readexactly(length), 30)
    return int(head.split()[1])


def _wait_until_closed(connection: socket.socket) -> bool:
    """Return whether the server ends a connection that nobody reads."""
    poll = select.poll()
    poll.register(connection, 0)
    return bool(poll.poll(60_000))


@pytest.mark.parametrize("path", ["/notes?limit=1000", "/events/stream?last_event_id=0"])
async def test_a_client_that_does_not_read_its_answer_is_dropped(
    start_server: StartServer, make_key: MakeKey, path: str
) -> None:
    server = await start_server(server={"port": 0, "write_timeout": 1.0})
    key = await make_key()
    text = "x" * 190_000
    async with ApiClient(server.url, key) as client:
        for number in range(60):
            if path.startswith("/notes"):
                await client.post("/notes", {"title": str(number), "content": text})
            else:
                event: JsonValue = {"event_type": "custom_long", "payload": {"text": text}}
                await client.post("/events", event)
        url = URL(server.url)
        with socket.socket() as stalled:
            stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stalled.connect((url.host, url.port))
            head = f"GET /api/v1{path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n"
            stalled.sendall(head.encode())
            assert await asyncio.to_thread(_wait_until_closed, stalled)
        assert await client.get("/health")
    assert "does not read its answer" in server.read_log()


async def test_a_client_that_reads_slowly_gets_the_whole_answer(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server(server={"port": 0, "write_timeout": 2.0})
    key = await make_key()
    async with ApiClient(server.url, key) as client:
        for number in range(40):
            await client.post("/notes", {"title": str(number), "content": "x" * 190_000})
    url = URL(server.url)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect((url.host, url.port))
        head = "GET /api/v1/notes?limit=1000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        slow.sendall(f"{head}X-API-Key: {key}\r\n\r\n".encode())
        assert await asyncio.to_thread(_read_slowly, slow) > 40 * 190_000


def _read_slowly(connection: socket.socket) -> int:
    """Read all that comes, slowly for more than two write timeouts; return the number of bytes."""
    count, end = 0, time.monotonic() + 5
    while part := connection.recv(32 * 1024):
        count += len(part)
        if time.monotonic() < end:
            time.sleep(0.02)
    return count


async def test_an_unknown_expectation_is_417(start_server: StartServer, make_key: MakeKey) -> None:
    server = await start_server()
    key = await make_key()
    for expectation, status in [("100-continue", b"100"), ("the best", b"417")]:
        reader, writer = await _connect(server)
        head = f"POST /api/v1/notes HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n"
        writer.write(f"{head}Expect: {expectation}\r\nContent-Length: 13\r\n\r\n".encode())
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        assert answer.split()[1] == status
        if status == b"417":
            assert b"application/problem+json" in answer
            assert b"X-Request-ID" in answer
        else:
            writer.write(b'{"title":"a"}')
            made = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            assert made.split()[1] == b"201"
        writer.transport.abort()
