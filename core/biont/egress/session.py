"""Egress session: HTTP client whose every socket has passed the egress policy.

The client speaks HTTP/1.1 and keeps connections for the next request to the same origin.

    request --> used connection --(closed by the receiver)--> fresh connection --> answer
       |                                                            ^
       +----------------- none is free ----------------------------+

Redirects are off (a redirect would need all checks again), and so are cookies, proxies from the
environment (a proxy would connect elsewhere) and decompression (a small body could fill
the memory).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver
from yarl import URL

from biont.egress.connection import HttpConnection, Origin, StaleConnection
from biont.egress.connection_pool import ConnectionPool
from biont.egress.connector import Connector
from biont.egress.policy import EgressPolicy
from biont.egress.request import OutgoingRequest, encode_head
from biont.egress.resolver import GuardedResolver
from biont.egress.response import EgressResponse

READ_LIMIT = 64 * 1024
"""Largest part of a response's body that a caller can ask for, in bytes."""


class EgressSession:
    """HTTP client for targets that the policy allows; an asynchronous context manager.

    Args:
        policy: checks each URL, each resolved address and each connect.
        timeout: the seconds for a whole request, from the connect to the last byte.
        ca_file: a PEM file with certificate authorities besides the system's.
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
        ca_file: Path | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self.policy = policy
        self._timeout = _check_timeout(timeout)
        self._ca_file = ca_file
        self._resolver = resolver

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._pool = ConnectionPool(self._loop)
        resolver = GuardedResolver(self.policy, self._resolver or ThreadedResolver())
        self._connector = Connector(self.policy, resolver, self._ca_file)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._pool.close()

    async def post(
        self,
        url: URL | str,
        *,
        body: bytes | AsyncIterable[bytes],
        headers: Mapping[str, str],
        timeout: float | None = None,  # noqa: ASYNC109  # the connections keep the limit
        read: int = 16 * 1024,
        body_wait: float | None = None,
    ) -> EgressResponse:
        """POST `body` to `url`; see `request`."""
        return await self.request(
            "POST",
            url,
            body=body,
            headers=headers,
            timeout=timeout,
            read=read,
            body_wait=body_wait,
        )

    async def get(
        self,
        url: URL | str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # the connections keep the limit
        read: int = 16 * 1024,
    ) -> EgressResponse:
        """GET `url`; see `request`."""
        return await self.request("GET", url, headers=headers, timeout=timeout, read=read)

    async def request(
        self,
        method: str,
        url: URL | str,
        *,
        body: bytes | AsyncIterable[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # the connections keep the limit
        read: int = 16 * 1024,
        body_wait: float | None = None,
    ) -> EgressResponse:
        """Send a request, and return the response, whatever its status.

        A receiver that closes a kept connection at the moment of the request gets the request
        once more on a fresh connection.

        Args:
            method: the method, in upper case.
            url: the target; checked again, even if `EgressPolicy.check_url` returned it.
            body: the exact bytes to send, or an iterable of pieces, which are sent in chunks.
            headers: HTTP headers to send.
            timeout: the seconds for this request instead of the session's timeout.
            read: the bytes of the response's body to keep, at most `READ_LIMIT`.
            body_wait: the most seconds to wait for the body after the headers.

        Raises:
            ForbiddenAddress: the policy forbids the request; no socket was opened.
            TimeoutError: the headers of the response were not complete in time.
            RequestFailed: no connection came about, or no HTTP response; the message says why.
            ValueError: `timeout` is not positive, or a header has a line break.
        """
        target = self.policy.check_url(url)
        started = self._loop.time()
        deadline = started + (self._timeout if timeout is None else _check_timeout(timeout))
        head, is_chunked = encode_head(
            method, target, headers or {}, length=len(body) if isinstance(body, bytes) else None
        )
        request = OutgoingRequest(
            head + body if isinstance(body, bytes) else head,
            None if isinstance(body, bytes) else body,
            is_chunked,
            started,
            deadline,
            min(max(read, 0), READ_LIMIT),
            body_wait,
            method == "HEAD",
        )
        origin = (target.scheme, target.raw_host or "", target.port or 0)
        # Pieces can be sent only once, so they need a connection that cannot be stale.
        used = self._pool.take(origin) if request.pieces is None else None
        if used is not None:
            try:
                return await used.exchange(request)
            except StaleConnection:
                self._pool.note_stale(origin)
        return await (await self._connect(origin, target, deadline)).exchange(request)

    async def _connect(self, origin: Origin, target: URL, deadline: float) -> HttpConnection:
        async with asyncio.timeout_at(deadline):
            return await self._connector.connect(
                target, lambda: HttpConnection(self._loop, origin, self._pool)
            )


def _check_timeout(timeout: float) -> float:
    if timeout <= 0:
        raise ValueError(f"timeout is {timeout} s; choose a positive number")
    return timeout
