from __future__ import annotations

import sys
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

SOCKET_EVENTS = {"socket.__new__", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname"}


class SocketAudit:
    """Notes what the process does with sockets, and lets nothing past the loopback."""

    def __init__(self) -> None:
        self.active = False
        self.events: list[str] = []

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.active or event not in SOCKET_EVENTS:
            return
        self.events.append(event)
        if event != "socket.__new__":
            host = arguments[1] if event == "socket.connect" else arguments
            self._keep_inside(host)

    def _keep_inside(self, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else None
        if not (isinstance(host, str) and ip_address(host).is_loopback):
            raise RuntimeError(f"{address} is past the loopback")


@pytest.fixture(scope="session")
def socket_audit() -> SocketAudit:
    audit = SocketAudit()
    sys.addaudithook(audit)  # nothing can remove it again, so there is only one
    return audit


@pytest.fixture(autouse=True)
def opened(socket_audit: SocketAudit) -> Iterator[list[str]]:
    """What has been done with sockets and resolvers since the test began."""
    socket_audit.events.clear()
    socket_audit.active = True
    yield socket_audit.events
    socket_audit.active = False
