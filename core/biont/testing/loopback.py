"""Loopback guard: lets a test process connect to this machine only.

The guard is an audit hook of the interpreter, so that it sees the connections of every
library. It raises before a socket connects or a name is resolved.
"""

from __future__ import annotations

import sys
from ipaddress import ip_address

_LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname"}


class LeftLoopback(RuntimeError):
    """A test tried to reach an address that is not on this machine."""


def keep_to_loopback() -> None:
    """Refuse, for the rest of the process, each connection and look-up beyond the loopback."""
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[object, ...]) -> None:
    if event in _LOOK_UPS:
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    if not (host in (None, "", "localhost") or _is_loopback(host)):
        raise LeftLoopback(f"{event} of {host!r}: tests keep to the loopback")


def _is_loopback(host: object) -> bool:
    try:
        return isinstance(host, str) and ip_address(host).is_loopback
    except ValueError:
        return False
