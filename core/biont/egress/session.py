"""The guarded session: it asks the policy again at the last moment before each socket."""

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
"""How much of an answer's body can be asked for, in bytes."""

# A burst to one host shares a look-up, and an endpoint that moves is followed within
# seconds. Staleness is no danger: what is kept was judged, and is judged at each connect.
_DNS_TTL = 10

# Node.js and uvicorn close an idle connection after 5 s. A POST sent into that moment is
# lost, and cannot be sent again unseen; so idle connections are given up before it.
_KEEPALIVE = 4.0

_HEADERS = {
    # Answers are kept as they come and never unpacked, so none should come packed.
    "Accept-Encoding": "identity",
    "User-Agent": "biont",
}


@dataclass(frozen=True, slots=True)
class EgressResponse:
    """What came back.

    Attributes:
        status: the HTTP status.
        headers: the HTTP headers; case does not matter.
        body: the body's first bytes, as they came over the wire.
        truncated: whether the body had more.
        duration: from the call to the last byte read, in seconds.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    duration: float


class EgressSession:
    """Sends requests to addresses that the policy permits, and to no other.

    It follows no redirect, keeps no cookie, unpacks nothing and asks no
    environment variable for a proxy. Use it as an asynchronous context manager.

    Args:
        policy: judges each URL, each resolved address and each connect.
        timeout: for a whole request, from connecting to the last byte, in seconds;
            it includes the wait for a free connection.
        connections: how many there are at most, over all hosts.
        resolver: who looks up names; the system's by default. It stays its owner's to close.

    Attributes:
        policy: the judge, for who wants to refuse a URL before it is kept.

    Raises:
        ValueError: `timeout` is not more than 0.
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
        self._timeout = _limit(timeout)
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
        timeout: float | None = None,  # noqa: ASYNC109 - aiohttp's own covers reading as well
        read: int = 16 * 1024,
    ) -> EgressResponse:
        """POST `body` to `url` once, and return the answer, whatever its status.

        Args:
            url: where to; judged again, also if `EgressPolicy.check_url` returned it.
            body: the exact bytes to send, or pieces of them as they come; these go chunked,
                unless a header says their length.
            headers: HTTP headers to send.
            timeout: instead of the session's, in seconds.
            read: how many bytes of the answer's body to keep, at most `READ_LIMIT`.

        Raises:
            ForbiddenAddress: the policy does not permit it; no socket was opened.
            TimeoutError: the answer was not complete in time.
            ValueError: `timeout` is not more than 0, or a header holds a line break.
            aiohttp.ClientError: no connection, or no valid answer.
        """
        started = time.perf_counter()
        async with self._session.post(
            self.policy.check_url(url),
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=self._timeout if timeout is None else _limit(timeout),
        ) as response:
            kept, truncated = await _read(response, min(max(read, 0), READ_LIMIT))
            return EgressResponse(
                response.status,
                response.headers,
                kept,
                truncated,
                time.perf_counter() - started,
            )

    def _open_socket(self, info: AddrInfoType) -> socket.socket:
        """Open a socket for the address in `info`, if it is permitted.

        This is the last word: aiohttp asks no resolver about an IP literal, and
        comes here for every address that it is about to connect to.
        """
        family, kind, protocol, _, (address, port, *_) = info
        host = address.host if isinstance(address, _ResolvedAddress) else None
        self.policy.check_address(address, port, host=host)
        return socket.socket(family, kind, protocol)


class _ResolvedAddress(str):
    """An address that still knows the name it was resolved for.

    An exception for a name permits the addresses of this name, for connections
    to this name only. The connector hands an address from the resolver to the
    socket factory as the very object it got, but not the name with it; so the
    address bears the name itself. Should a connector ever copy it to a plain
    string, the exception is lost and the connection refused, never the reverse.
    """

    __slots__ = ("host",)

    host: str

    def __new__(cls, address: str, host: str) -> Self:
        self = super().__new__(cls, address)
        self.host = host
        return self


class _GuardedResolver(AbstractResolver):
    """Resolves names, and refuses one of whose addresses any is forbidden.

    To drop the forbidden addresses and use the rest would hide an attack, or
    an operator's mistake, behind connections that work now and then.
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
        """Leave the resolver to its owner."""


def _limit(timeout: float) -> ClientTimeout:
    # To aiohttp 0 means without limit.
    if timeout <= 0:
        raise ValueError(f"timeout is {timeout} s; it must be more than 0")
    return ClientTimeout(total=timeout)


async def _read(response: ClientResponse, limit: int) -> tuple[bytes, bool]:
    """Return at most `limit` bytes of the body, and whether there were more."""
    body = bytearray()
    while chunk := await response.content.read(limit + 1 - len(body)):
        body += chunk
        if len(body) > limit:
            # The rest may never end: the connection is of no more use.
            response.close()
            return bytes(body[:limit]), True
    return bytes(body), False
