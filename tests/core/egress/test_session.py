from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from aiohttp.typedefs import Handler

from biont.egress import EgressPolicy, EgressSession
from biont.exceptions import ForbiddenAddress, RequestFailed

LOOPBACK = EgressPolicy(["127.0.0.0/8:*"])
MEBIBYTE = 1024 * 1024


@pytest.fixture
async def session() -> AsyncIterator[EgressSession]:
    async with EgressSession(LOOPBACK) as session:
        yield session


@asynccontextmanager
async def serve(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@asynccontextmanager
async def serve_raw(answer: bytes) -> AsyncIterator[str]:
    """Serve one that reads a request's head, says `answer`, and hangs up."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        yield "http://{}:{}/".format(*server.sockets[0].getsockname())


async def drip(request: web.Request) -> web.StreamResponse:
    """Answer with a byte each hundredth of a second, for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b".")
        await asyncio.sleep(0.01)


async def pour(request: web.Request) -> web.StreamResponse:
    """Answer with as much as the client takes, for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"." * MEBIBYTE)


async def never_answer(_request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_body_can_be_sent_in_pieces(session: EgressSession) -> None:
    seen: list[tuple[str | None, bytes]] = []

    async def keep(request: web.Request) -> web.Response:
        seen.append((request.headers.get("Content-Length"), await request.read()))
        return web.Response()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        await asyncio.sleep(0)
        yield b"two"

    async with serve(keep) as url:
        await session.post(url, body=pieces(), headers={"Content-Length": "7"})
        await session.post(url, body=pieces(), headers={})
        with pytest.raises(ForbiddenAddress):
            await session.post("http://10.1.2.3/", body=pieces(), headers={})
    assert seen == [("7", b"one two"), (None, b"one two")]


async def test_the_receiver_gets_the_exact_body_and_headers(
    session: EgressSession,
) -> None:
    async def check(request: web.Request) -> web.Response:
        assert request.method == "POST"
        assert await request.read() == b'{"a": "\xc3\xa4"}'
        assert request.headers["X-ASI-Signature"] == "abc"
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(status=418, text="short and stout", headers={"X-Kind": "teapot"})

    async with serve(check) as url:
        response = await session.post(
            url, body=b'{"a": "\xc3\xa4"}', headers={"X-ASI-Signature": "abc"}
        )
    assert (response.status, response.body, response.truncated) == (418, b"short and stout", False)
    assert response.headers["x-kind"] == "teapot"
    assert 0 < response.duration < 15


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(session: EgressSession, status: int) -> None:
    paths: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async with serve(redirect) as url:
        response = await session.post(url, body=b"{}", headers={})
    assert (response.status, response.headers["Location"]) == (status, "/elsewhere")
    assert paths == ["/"]


async def test_cookies_are_not_kept(session: EgressSession) -> None:
    async def set_cookie(request: web.Request) -> web.Response:
        return web.Response(
            text=request.headers.get("Cookie", "none"), headers={"Set-Cookie": "a=b"}
        )

    async with serve(set_cookie) as url:
        for _ in range(2):
            assert (await session.post(url, body=b"", headers={})).body == b"none"


async def test_a_proxy_in_the_environment_is_not_used(
    session: EgressSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
    async with serve(answer_peer) as url:
        assert (await session.post(url, body=b"", headers={})).status == 200


async def answer_peer(request: web.Request) -> web.Response:
    assert request.transport is not None
    return web.Response(text=str(request.transport.get_extra_info("peername")))


async def test_a_connection_is_reused(session: EgressSession) -> None:
    async with serve(answer_peer) as url:
        peers = {(await session.post(url, body=b"", headers={})).body for _ in range(5)}
    assert len(peers) == 1


async def test_a_response_beyond_the_limit_closes_the_connection(session: EgressSession) -> None:
    async with serve(answer_peer) as url:
        peers = {(await session.post(url, body=b"", headers={}, read=12)).body for _ in range(5)}
        last = await session.post(url, body=b"", headers={})
    assert {len(peer) for peer in peers} == {12}
    assert last.body[:12] in peers


@pytest.mark.parametrize(
    ("size", "read", "kept", "truncated"),
    [
        (0, 100, 0, False),
        (100, 100, 100, False),
        (101, 100, 100, True),
        (100, 0, 0, True),
        (100, -1, 0, True),
        (64 * 1024, MEBIBYTE, 64 * 1024, False),
        (64 * 1024 + 1, MEBIBYTE, 64 * 1024, True),
    ],
)
async def test_the_body_is_kept_up_to_the_requested_size(
    session: EgressSession, size: int, read: int, kept: int, *, truncated: bool
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=b"x" * size)

    async with serve(answer) as url:
        response = await session.post(url, body=b"", headers={}, read=read)
    assert (len(response.body), response.truncated) == (kept, truncated)


async def measure_peak(request: Callable[[], Awaitable[object]]) -> int:
    """Return how much memory `request` takes at its peak, in bytes."""
    tracemalloc.start()
    try:
        await request()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_an_endless_response_is_cut_off(session: EgressSession) -> None:
    async with serve(pour) as url:

        async def request() -> None:
            response = await session.post(url, body=b"", headers={})
            assert (len(response.body), response.truncated) == (16 * 1024, True)

        assert await measure_peak(request) < 4 * MEBIBYTE  # what one write of the server takes


async def test_a_compressed_response_is_not_decompressed(session: EgressSession) -> None:
    bomb = gzip.compress(bytes(64 * MEBIBYTE))

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with serve(answer) as url:

        async def request() -> None:
            response = await session.post(url, body=b"", headers={})
            assert response.body == bomb[: 16 * 1024]

        assert await measure_peak(request) < 4 * MEBIBYTE


async def test_an_answer_that_does_not_begin_times_out(session: EgressSession) -> None:
    async with serve(never_answer) as url, asyncio.timeout(30):
        with pytest.raises(TimeoutError):
            await session.post(url, body=b"", headers={}, timeout=0.1)
        async with EgressSession(LOOPBACK, timeout=0.1) as hasty:
            with pytest.raises(TimeoutError):
                await hasty.post(url, body=b"", headers={})


@pytest.mark.parametrize("limits", [{"timeout": 0.5}, {"body_wait": 0.1}])
async def test_an_answer_counts_although_its_body_does_not_end(
    session: EgressSession, limits: dict[str, float]
) -> None:
    async with serve(drip) as url, asyncio.timeout(30):
        response = await session.post(url, body=b"", headers={}, **limits)  # type: ignore[arg-type]  # both are numbers
    assert (response.status, response.truncated) == (200, False)
    assert response.body.startswith(b".")
    assert response.problem == "the body was not complete in time"


@pytest.mark.parametrize("seconds", [0, -1])
async def test_a_timeout_must_be_positive(session: EgressSession, seconds: int) -> None:
    with pytest.raises(ValueError, match="a positive number"):
        EgressSession(LOOPBACK, timeout=seconds)
    with pytest.raises(ValueError, match="a positive number"):
        await session.post("http://127.0.0.1:1/", body=b"", headers={}, timeout=seconds)


async def test_a_header_with_a_line_break_is_refused(session: EgressSession) -> None:
    async with serve(answer_peer) as url:
        with pytest.raises(ValueError, match="header"):
            await session.post(url, body=b"", headers={"X-Note": "a\r\nX-Other: b"})


BAD_HEADS = {
    "nothing": b"",
    "noise": b"not HTTP at all\r\n\r\n",
    "an end in the headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a long header": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1_000_000 + b"\r\n\r\n",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X-Many: x\r\n" * 100_000 + b"\r\n",
    "informational answers only": b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 3,
}


@pytest.mark.parametrize("answer", BAD_HEADS.values(), ids=list(BAD_HEADS))
async def test_an_answer_without_complete_headers_is_a_failed_request(
    session: EgressSession, answer: bytes
) -> None:
    async with serve_raw(answer) as url:
        with pytest.raises(RequestFailed):
            await session.post(url, body=b"", headers={})


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
INFORMATIONAL = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
ODD_ANSWERS: dict[str, tuple[bytes, int, bytes, str | None]] = {
    "a length beyond the body": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive.",
        200,
        b"five.",
        "the connection ended before the end of the body",
    ),
    "a length below the body": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nfive.",
        200,
        b"fi",
        None,
    ),
    "no length": (b"HTTP/1.1 200 OK\r\n\r\nfive.", 200, b"five.", None),
    "wrong chunks": (
        CHUNKED + b"zz\r\n",
        200,
        b"",
        "the answer is not valid HTTP: Invalid character in chunk size",
    ),
    "chunks and a trailer": (
        CHUNKED + b"5;a=b\r\nfive.\r\n0\r\nX-Trailer: x\r\n\r\n",
        200,
        b"five.",
        None,
    ),
    "a long header": (
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 20_000 + b"\r\nContent-Length: 0\r\n\r\n",
        200,
        b"",
        None,
    ),
    "many headers": (
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: x\r\n" * 300 + b"Content-Length: 0\r\n\r\n",
        200,
        b"",
        None,
    ),
    "HTTP/1.0": (b"HTTP/1.0 202 Accepted\r\n\r\nlater", 202, b"later", None),
    "bare line feeds": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, b"ok", None),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", None),
    "informational answers first": (
        INFORMATIONAL + b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
        201,
        b"ok",
        None,
    ),
    "another protocol": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n...",
        101,
        b"",
        None,
    ),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", None),
    "a second answer": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n",
        200,
        b"ok",
        None,
    ),
}


@pytest.mark.parametrize(
    ("answer", "status", "body", "problem"), ODD_ANSWERS.values(), ids=list(ODD_ANSWERS)
)
async def test_an_odd_answer_counts_and_its_problem_is_told(
    session: EgressSession, answer: bytes, status: int, body: bytes, problem: str | None
) -> None:
    async with serve_raw(answer) as url:
        for _ in range(3):
            response = await session.post(url, body=b"{}", headers={})
            assert (response.status, response.body) == (status, body)
            assert response.problem == problem


async def test_a_refused_connection_is_a_failed_request(session: EgressSession) -> None:
    port = unused_port()
    with pytest.raises(RequestFailed, match=rf"127\.0\.0\.1:{port} refuses connections"):
        await session.post(f"http://127.0.0.1:{port}/secret", body=b"", headers={})
