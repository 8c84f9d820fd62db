"""A generator of load, for machines without `wrk`: keep-alive connections on an event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from yarl import URL

from benchmarks.child import Child, answer
from benchmarks.measure import percentile


@dataclass(frozen=True)
class Generate(Child):
    """Makes one request over and over on each connection; answers what came of it.

    Attributes:
        method: of HTTP.
        url: whole.
        headers: what is sent beside Host and Content-Length.
        body: of a POST.
        connections: how many there are, each with one request under way.
        seconds: how long they go on.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: str
    connections: int
    seconds: int

    async def run(self) -> None:
        """Make the load; answer the same figures as the script for `wrk`."""
        url, tally, loop = URL(self.url), _Tally(), asyncio.get_running_loop()
        assert url.host is not None
        assert url.port is not None
        request, started = self._encode(url), time.perf_counter()
        for _ in range(self.connections):
            await loop.create_connection(lambda: _Connection(request, tally), url.host, url.port)
        await asyncio.sleep(self.seconds)
        seconds, latencies = time.perf_counter() - started, tally.latencies or [0.0]
        found = {
            "requests": len(tally.latencies),
            "seconds": seconds,
            "p50": percentile(latencies, 50) * 1000,
            "p99": percentile(latencies, 99) * 1000,
            "failed": tally.failed,
        }
        answer(found)

    def _encode(self, url: URL) -> bytes:
        body = self.body.encode()
        headers = {"Host": f"{url.host}:{url.port}", **self.headers}
        if body:
            headers["Content-Length"] = str(len(body))
        lines = [f"{self.method} {url.raw_path_qs} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class _Tally:
    latencies: list[float] = field(default_factory=list)
    failed: int = 0


class _Connection(asyncio.Protocol):
    """One request after the other, each sent when the one before is answered."""

    def __init__(self, request: bytes, tally: _Tally) -> None:
        self._request = request
        self._tally = tally
        self._received = b""
        self._write: Callable[[bytes], None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._write = transport.write
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < _read_length(head):
            return
        self._tally.latencies.append(time.perf_counter() - self._sent_at)
        if not head.startswith(b"HTTP/1.1 2"):
            self._tally.failed += 1
        self._received = b""
        self._send()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002  # asyncio's name
        self._tally.failed += 1

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._write(self._request)


def _read_length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0] or 0)
