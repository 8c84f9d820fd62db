"""Egress session: HTTP client whose every socket has passed the egress policy.

The checked address is the connected address. The resolver guard checks the addresses of a
name, and the connector then opens a socket through `EgressSession._open_socket` for the very
address that it connects to; there the policy is asked once more. aiohttp calls the socket
factory for every address, also for address literals that no resolver sees. The factory raises
before a socket exists, so a forbidden request sends no packet.

Redirects are off (a redirect would need all checks again), and so are cookies, proxies from the
environment (a proxy would connect elsewhere) and decompression (a small body could fill
the memory).
"""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import (
    AddrInfoType,
    ClientResponse,
    ClientSession,  # noqa: TID251 - here is the guard that all others go through
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    ThreadedResolver,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from biont.egress.policy import EgressPolicy

READ_LIMIT = 64 * 1024
"""Largest part of a response's body that a caller can ask for, in bytes."""

# Requests in a burst share a look-up, and an endpoint that moves is found within seconds. A
# stale address is no danger, because the policy checks the address at each connect again.
_DNS_TTL = 10

# Node.js and uvicorn close an idle connection after 5 s. A POST at that moment is lost, and
# repeating the POST could deliver twice; so idle connections are closed before.
_KEEPALIVE = 4.0

_HEADERS = {
    # Bodies are kept without decompression, so servers should not compress.
    "Accept-Encoding": "identity",
    "User-Agent": "biont",
}


@dataclass(frozen=True, slots=True)
class EgressResponse:
    """Response to an outgoing request.

    Attributes:
        status: the HTTP status.
        headers: the HTTP headers; case does not matter.
        body: the first bytes of the body, not decompressed.
        truncated: whether the body was longer.
        duration: the seconds from the call to the last byte that was read.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    duration: float


class EgressSession:
    """HTTP client for targets that the policy allows; an asynchronous context manager.

    Args:
        policy: checks each URL, each resolved address and each connect.
        timeout: the seconds for a whole request, from the wait for a free connection to the
            last byte.
        connections: the largest number of connections over all hosts; 0 for no limit.
        resolver: resolves names; the system's resolver by default. The caller closes it.

    Attributes:
        policy: the policy, for callers that refuse a URL before they store it.

    Raises:
        ValueError: `timeout` is not positive.
    """

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        timeout: float = 15.0,
        connections: int = 100,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self.policy = policy
        self._timeout = _make_timeout(timeout)
        self._connections = connections
        self._resolver = resolver

    async def __aenter__(self) -> Self:
        resolver = self._resolver or ThreadedResolver()
        connector = TCPConnector(
            limit=self._connections,
            resolver=_GuardedResolver(self.policy, resolver),
            socket_factory=self._open_socket,
            ttl_dns_cache=_DNS_TTL,
            keepalive_timeout=_KEEPALIVE,
        )
        self._session = ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            timeout=self._timeout,
            headers=_HEADERS,
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def post(
        self,
        url: URL | str,
        *,
        body: bytes | AsyncIterable[bytes],
        headers: Mapping[str, str],
        timeout: float | None = None,  # noqa: ASYNC109 - aiohttp's timeout covers reading as well
        read: int = 16 * 1024,
    ) -> EgressResponse:
        """POST `body` to `url` once, and return the response, whatever its status.

        Args:
            url: the target; checked again, even if `EgressPolicy.check_url` returned it.
            body: the exact bytes to send, or an iterable of pieces; pieces are sent with
                chunked encoding unless a header has the length.
            headers: HTTP headers to send.
            timeout: the seconds for this request instead of the session's timeout.
            read: the bytes of the response's body to keep, at most `READ_LIMIT`.

        Raises:
            ForbiddenAddress: the policy forbids the request; no socket was opened.
            TimeoutError: the response was not complete in time.
            ValueError: `timeout` is not positive, or a header has a line break.
            aiohttp.ClientError: the connection failed, or the response is invalid.
        """
        started = time.perf_counter()
        async with self._session.post(
            self.policy.check_url(url),
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=self._timeout if timeout is None else _make_timeout(timeout),
        ) as response:
            kept, truncated = await _read_body(response, min(max(read, 0), READ_LIMIT))
            return EgressResponse(
                response.status,
                response.headers,
                kept,
                truncated,
                time.perf_counter() - started,
            )

    def _open_socket(self, info: AddrInfoType) -> socket.socket:
        """Return a new socket for the address in `info`, if the policy allows the address.

        The connector calls this method for each address just before it connects.
        """
        family, kind, protocol, _, (address, port, *_) = info
        host = address.host if isinstance(address, _ResolvedAddress) else None
        self.policy.check_address(address, port, host=host)
        return socket.socket(family, kind, protocol)


class _ResolvedAddress(str):
    """Resolved address with the name that was resolved.

    An exception for a name allows the addresses of the name, for connections to this name only.
    The connector passes the resolver's address object to the socket factory, but not the name;
    so the address object carries the name. If a future connector copies the address to a plain
    string, the exception is lost and the connection refused, never the reverse.
    """

    __slots__ = ("host",)

    host: str

    def __new__(cls, address: str, host: str) -> Self:
        self = super().__new__(cls, address)
        self.host = host
        return self


class _GuardedResolver(AbstractResolver):
    """Resolver that refuses a name if any of its addresses is forbidden.

    Using only the allowed addresses would hide an attack, or an operator's mistake: connections
    would work now and then.
    """

    def __init__(self, policy: EgressPolicy, resolver: AbstractResolver) -> None:
        self._policy = policy
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        results = await self._resolver.resolve(host, port, family)
        if not results:
            raise socket.gaierror(socket.EAI_NONAME, f"{host} has no address")
        for result in results:
            self._policy.check_address(result["host"], result["port"], host=host)
        return [{**result, "host": _ResolvedAddress(result["host"], host)} for result in results]

    async def close(self) -> None:
        """Do nothing: the caller of the session closes the resolver."""


def _make_timeout(timeout: float) -> ClientTimeout:
    # aiohttp takes 0 as no timeout at all.
    if timeout <= 0:
        raise ValueError(f"timeout is {timeout} s; choose a positive number")
    return ClientTimeout(total=timeout)


async def _read_body(response: ClientResponse, limit: int) -> tuple[bytes, bool]:
    """Return at most `limit` bytes of the body, and whether the body is longer."""
    body = bytearray()
    while chunk := await response.content.read(limit + 1 - len(body)):
        body += chunk
        if len(body) > limit:
            # The rest may be endless, so the connection cannot be used again.
            response.close()
            return bytes(body[:limit]), True
    return bytes(body), False
