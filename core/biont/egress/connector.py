"""Connector: opens connections to addresses that the policy allows.

The checked address is the connected address. The addresses of a name are checked when the name
is resolved, and each address once more just before its socket is opened. So a forbidden request
sends no packet, whatever the resolver says.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from aiohappyeyeballs import AddrInfoType, start_connection
from yarl import URL

from biont.egress.allowlist import looks_like_address
from biont.egress.policy import EgressPolicy
from biont.egress.resolver import GuardedResolver, make_address_info
from biont.egress.tls import describe_tls_error, make_tls_context
from biont.exceptions import RequestFailed, RequestStep

# A second address is tried beside the first after this time (RFC 8305, section 5).
_NEXT_ADDRESS_AFTER = 0.25

P = TypeVar("P", bound=asyncio.Protocol)


class Connector:
    """Opens connections.

    Args:
        policy: checks each address just before a socket is opened.
        resolver: resolves names.
        ca_file: a PEM file with authorities besides the system's.
    """

    def __init__(
        self, policy: EgressPolicy, resolver: GuardedResolver, ca_file: Path | None
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._ca_file = ca_file
        self._tls_context: ssl.SSLContext | None = None

    async def connect(self, url: URL, make_protocol: Callable[[], P]) -> P:
        """Open a connection to the host of `url`; return the protocol.

        Raises:
            ForbiddenAddress: the policy forbids an address; no socket was opened.
            RequestFailed: no connection came about; the message says why in plain words.
        """
        host, port = url.raw_host or "", url.port or 0
        is_literal = looks_like_address(host)
        if is_literal:
            addresses: Sequence[AddrInfoType] = [make_address_info(host, port)]
        else:
            addresses = await self._resolver.resolve(host, port)
        try:
            connected = await start_connection(
                addresses,
                happy_eyeballs_delay=_NEXT_ADDRESS_AFTER,
                socket_factory=functools.partial(self._open_socket, None if is_literal else host),
            )
        except OSError as error:
            raise _fail(host, port, _describe(error), RequestStep.CONNECT) from error
        try:
            return await self._start(connected, url, host, make_protocol)
        except ssl.SSLError as error:
            raise _fail(host, port, describe_tls_error(error), RequestStep.TLS) from error
        except OSError as error:
            raise _fail(host, port, _describe(error), RequestStep.CONNECT) from error

    async def _start(
        self, connected: socket.socket, url: URL, host: str, make_protocol: Callable[[], P]
    ) -> P:
        loop = asyncio.get_running_loop()
        try:
            context = await self._get_tls_context() if url.scheme == "https" else None
            _, protocol = await loop.create_connection(
                make_protocol,
                sock=connected,
                ssl=context,
                server_hostname=None if context is None else host.rstrip("."),
            )
        except BaseException:
            connected.close()
            raise
        return protocol

    async def _get_tls_context(self) -> ssl.SSLContext:
        if self._tls_context is None:
            # In a thread: the authorities of the system are a large file.
            self._tls_context = await asyncio.to_thread(make_tls_context, self._ca_file)
        return self._tls_context

    def _open_socket(self, host: str | None, info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, (address, port, *_) = info
        self._policy.check_address(address, port, host=host)
        return socket.socket(family, kind, protocol)


def _fail(host: str, port: int, reason: str, step: RequestStep) -> RequestFailed:
    name = f"[{host}]" if ":" in host else host
    return RequestFailed(f"{name}:{port} {reason}", step)


def _describe(error: OSError) -> str:
    match error:
        case ConnectionRefusedError():
            return "refuses connections"
        case ConnectionResetError() | BrokenPipeError() | ConnectionAbortedError():
            return "closed the connection before it was ready"
        case _:
            return f"cannot be reached: {error.strerror or error}"
