"""Connections of the egress session: reuse, careless receivers, TLS and odd bytes."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biont.egress import EgressPolicy, EgressSession
from biont.exceptions import RequestFailed, RequestStep, SettingsError
from biont.settings import load_settings
from biont.testing import write_config

LOOPBACK = EgressPolicy(["127.0.0.0/8:*", "hook.example:*"])
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serve(speak: Speak, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve on the loopback; yield the port."""

    async def speak_to_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await speak(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(speak_to_the_end, "127.0.0.1", 0, ssl=tls) as server:
        port: int = server.sockets[0].getsockname()[1]
        yield port


class LoopbackResolver(AbstractResolver):
    """Resolver that finds every name on this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Close nothing."""


def open_session(ca_file: Path | None = None) -> EgressSession:
    return EgressSession(LOOPBACK, ca_file=ca_file, resolver=LoopbackResolver())


async def read_body(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)


async def post_all(port: int, count: int) -> list[int]:
    """Post `count` bodies from ten clients; return the statuses."""
    left = iter(range(count))
    statuses: list[int] = []

    async with EgressSession(LOOPBACK) as session:

        async def post_some() -> None:
            for number in left:
                body = str(number).encode()
                answer = await session.post(f"http://127.0.0.1:{port}/", body=body, headers={})
                statuses.append(answer.status)

        async with asyncio.timeout(60):
            await asyncio.gather(*(post_some() for _ in range(10)))
    return statuses


@pytest.mark.parametrize("reset", [False, True], ids=["an end", "a reset"])
async def test_a_receiver_that_closes_in_silence_loses_no_request(*, reset: bool) -> None:
    seen: Counter[bytes] = Counter()

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen[await read_body(reader)] += 1
        writer.write(OK)
        await writer.drain()
        if reset:
            writer.transport.abort()

    async with serve(answer_once) as port:
        assert await post_all(port, 300) == [200] * 300
    assert seen == Counter(str(number).encode() for number in range(300))


async def test_a_request_on_a_connection_that_ends_at_that_moment_is_sent_again() -> None:
    seen: list[bytes] = []

    async def end_at_the_second_request(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        seen.append(await read_body(reader))
        writer.write(OK)
        await reader.read(1)

    async with serve(end_at_the_second_request) as port, EgressSession(LOOPBACK) as session:
        for body in (b"1", b"2", b"3"):
            url = f"http://127.0.0.1:{port}/"
            assert (await session.post(url, body=body, headers={})).status == 200
    assert seen == [b"1", b"2", b"3"]


@pytest.mark.parametrize("start", [b"HT", b"HTTP/1.1 200 O", b"HTTP/1.1 200 OK\r\nA: b\r\n"])
async def test_an_answer_that_has_begun_is_not_asked_for_again(start: bytes) -> None:
    seen: list[bytes] = []

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_body(reader))
        writer.write(OK)
        seen.append(await read_body(reader))
        writer.write(start)

    async with serve(break_off) as port, EgressSession(LOOPBACK) as session:
        url = f"http://127.0.0.1:{port}/"
        await session.post(url, body=b"1", headers={})
        with pytest.raises(RequestFailed, match="ended before"):
            await session.post(url, body=b"2", headers={})
    assert seen == [b"1", b"2"]


async def test_after_a_silent_end_all_kept_connections_of_the_receiver_are_closed() -> None:
    ended = asyncio.Semaphore(0)
    both_asked = asyncio.Barrier(2)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await read_body(reader) != b"end":
            await both_asked.wait()
            writer.write(OK)
        ended.release()

    async def wait_for_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except asyncio.IncompleteReadError:
            ended.release()

    async with serve(wait_for_end) as port, EgressSession(LOOPBACK) as session:
        url = f"http://127.0.0.1:{port}/"
        await asyncio.gather(*(session.post(url, body=b"", headers={}) for _ in range(2)))
        with pytest.raises(RequestFailed):
            await session.post(url, body=b"end", headers={})
        # The connection of the request, the fresh connection, and the other kept connection.
        async with asyncio.timeout(3):
            for _ in range(3):
                await ended.acquire()


async def test_an_idle_connection_is_closed_before_receivers_close_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now)
    ends: asyncio.Queue[float] = asyncio.Queue()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_body(reader)
        writer.write(OK)
        await reader.read()
        ends.put_nowait(now)

    async with serve(answer) as port, EgressSession(LOOPBACK) as session:
        await session.post(f"http://127.0.0.1:{port}/", body=b"", headers={})
        began = now
        while ends.empty():
            now += 0.5
            # Each turn runs the timers that are due.
            for _ in range(10):
                await asyncio.sleep(0)
        assert await ends.get() - began > 3


async def test_the_limit_of_a_request_does_not_end_the_next_request() -> None:
    async def answer_later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(float(await read_body(reader)))
            writer.write(OK)

    async with serve(answer_later) as port, EgressSession(LOOPBACK) as session:
        url = f"http://127.0.0.1:{port}/"
        for body, timeout in ((b"0", 0.3), (b"0.6", 60)):
            answer = await session.post(url, body=body, headers={}, timeout=timeout)
            assert answer.status == 200


async def test_a_fresh_connection_that_ends_without_an_answer_is_a_failure() -> None:
    seen: list[bytes] = []

    async def end_at_once(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        seen.append(await read_body(reader))

    async with serve(end_at_once) as port, EgressSession(LOOPBACK) as session:
        with pytest.raises(RequestFailed, match="ended before") as caught:
            await session.post(f"http://127.0.0.1:{port}/", body=b"1", headers={})
    assert caught.value.step is RequestStep.ANSWER
    assert seen == [b"1"]


@pytest.mark.parametrize("more", [OK, b"junk", b"\x00"])
async def test_bytes_that_nobody_asked_for_are_no_answer(more: bytes) -> None:
    connections, seen = 0, []

    async def answer_too_much(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            body = await read_body(reader)
            seen.append(body)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + body + more)

    async with serve(answer_too_much) as port, EgressSession(LOOPBACK) as session:
        for body in (b"1", b"2", b"3"):
            answer = await session.post(f"http://127.0.0.1:{port}/", body=body, headers={})
            assert (answer.status, answer.body) == (200, body)
    assert (connections, seen) == (3, [b"1", b"2", b"3"])


async def test_an_answer_before_the_end_of_the_request_counts() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with serve(refuse) as port, EgressSession(LOOPBACK) as session:
        url = f"http://127.0.0.1:{port}/"
        answer = await session.post(url, body=b"x" * 4_000_000, headers={})
    assert answer.status == 413


async def test_other_methods_and_the_answer_to_head() -> None:
    lines: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines.append(head.partition(b"\r\n")[0])
        body = b"" if head.startswith(b"HEAD") else b"ok"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body)

    async with serve(answer) as port, EgressSession(LOOPBACK) as session:
        url = f"http://127.0.0.1:{port}/a%20b?c=%26"
        assert (await session.get(url)).body == b"ok"
        assert (await session.request("HEAD", url)).body == b""
    assert lines == [b"GET /a%20b?c=%26 HTTP/1.1", b"HEAD /a%20b?c=%26 HTTP/1.1"]


async def test_a_cancelled_request_closes_its_connection() -> None:
    ended = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await read_body(reader)
        await reader.read()
        ended.set()

    async with serve(wait) as port, EgressSession(LOOPBACK) as session, asyncio.timeout(30):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await session.post(f"http://127.0.0.1:{port}/", body=b"", headers={})
        await ended.wait()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return path


@asynccontextmanager
async def serve_tls(certificate: trustme.LeafCert) -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_body(reader)
            writer.write(OK)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    async with serve(answer, context) as port:
        yield port


@pytest.mark.parametrize("host", ["hook.example", "127.0.0.1"])
async def test_a_certificate_of_a_private_authority_is_accepted(
    authority: trustme.CA, ca_file: Path, host: str
) -> None:
    async with (
        serve_tls(authority.issue_cert(host)) as port,
        open_session(ca_file) as session,
    ):
        for _ in range(3):
            answer = await session.post(f"https://{host}:{port}/", body=b"{}", headers={})
            assert answer.body == b"ok"


async def test_a_receiver_that_prefers_http_2_gets_http_1_1(
    authority: trustme.CA, ca_file: Path
) -> None:
    chosen: list[str | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        chosen.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await read_body(reader)
        writer.write(OK)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("hook.example").configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    async with serve(answer, context) as port, open_session(ca_file) as session:
        await session.post(f"https://hook.example:{port}/", body=b"", headers={})
    assert chosen == ["http/1.1"]


async def test_a_bad_certificate_is_refused_in_plain_words(
    authority: trustme.CA, ca_file: Path
) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    for certificate, file, reason in [
        (authority.issue_cert("hook.example"), None, "of an unknown authority; .*egress.ca_file"),
        (authority.issue_cert("other.example"), ca_file, "for another host"),
        (
            authority.issue_cert("hook.example", not_before=past, not_after=past),
            ca_file,
            "has expired",
        ),
    ]:
        async with serve_tls(certificate) as port, open_session(file) as s:
            with pytest.raises(RequestFailed, match=f"shows a certificate.*{reason}") as caught:
                await s.post(f"https://hook.example:{port}/", body=b"{}", headers={})
            assert caught.value.step is RequestStep.TLS


async def test_a_receiver_without_tls_is_told() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serve(answer) as port, EgressSession(LOOPBACK) as session:
        with pytest.raises(RequestFailed, match=f"127.0.0.1:{port} does not speak TLS"):
            await session.post(f"https://127.0.0.1:{port}/", body=b"{}", headers={})


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_without_certificates_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_bytes(content)
    config = write_config(tmp_path, {"egress": {"ca_file": str(path)}})
    with pytest.raises(SettingsError, match=r"egress\.ca_file: .*(cannot be read|no certificate)"):
        load_settings(config, environ={})


PARTS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.0 500 No\r\n",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: Upgrade\r\nUpgrade: x\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"hello",
    ]
)


@given(parts=st.lists(PARTS | st.binary(max_size=40), max_size=12))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_an_answer_or_a_failure(parts: list[bytes]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_body(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()

    async def post_twice() -> None:
        async with serve(answer) as port, EgressSession(LOOPBACK) as session:
            for _ in range(2):
                try:
                    response = await session.post(
                        f"http://127.0.0.1:{port}/", body=b"{}", headers={}, timeout=20
                    )
                except RequestFailed:
                    continue
                assert 101 <= response.status <= 999
                assert len(response.body) <= sum(map(len, parts))

    asyncio.run(asyncio.wait_for(post_twice(), 60))
