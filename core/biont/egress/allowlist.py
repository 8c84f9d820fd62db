"""Allowlist: the operator's exceptions for addresses that are not public."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_network

from yarl import URL

from biont.egress.addresses import IPAddress, IPNetwork

NAME = re.compile(r"(?=.{1,254}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
"""Pattern of host names in lower case and ASCII, as resolvers get them."""

_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def looks_like_address(host: str) -> bool:
    """Return whether any program may read `host` as an address instead of a name.

    This is the case for a colon in the host, and for a decimal or hexadecimal number as the
    last label, because no top-level domain is a number.
    """
    return ":" in host or _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) is not None


class Allowlist:
    """Allowed addresses and names that are not public.

    Args:
        entries: ``cidr:port``, ``address:port`` or ``name:port`` each; IPv6 in brackets,
            ``*`` for every port.

    Raises:
        ValueError: an entry is malformed; the message quotes the entry.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        self._networks: list[tuple[IPNetwork, int | None]] = []
        self._names: set[tuple[str, int | None]] = set()
        for entry in entries:
            self._add(entry)

    def covers(self, address: IPAddress, port: int, host: str | None) -> bool:
        """Return whether an entry allows `address` at `port`, reached by the name `host`."""
        if host is not None:
            name = host.rstrip(".").lower()
            if (name, port) in self._names or (name, None) in self._names:
                return True
        return any(
            allowed in {port, None} and address in network for network, allowed in self._networks
        )

    def _add(self, entry: str) -> None:
        host, colon, port = entry.rpartition(":")
        if not (colon and host):
            raise ValueError(f"{entry!r} is not of the form host:port; write * for every port")
        if host.startswith("[") and host.endswith("]"):
            self._networks.append((_parse_network(entry, host[1:-1]), _parse_port(entry, port)))
        elif ":" in host:
            raise ValueError(f"{entry!r} is ambiguous; write IPv6 in brackets: [fd00::/8]:443")
        elif looks_like_address(host.partition("/")[0]):
            self._networks.append((_parse_network(entry, host), _parse_port(entry, port)))
        else:
            self._names.add((_parse_name(entry, host), _parse_port(entry, port)))


def _parse_port(entry: str, text: str) -> int | None:
    if text == "*":
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ValueError(f"{entry!r} has no valid port; write a number of 1-65535, or *")
    return int(text)


def _parse_network(entry: str, text: str) -> IPNetwork:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(f"{entry!r} has no valid address or network: {error}") from None


def _parse_name(entry: str, text: str) -> str:
    try:
        name = URL.build(scheme="http", host=text).raw_host or ""
    except ValueError:
        name = ""
    if not NAME.fullmatch(name):
        raise ValueError(f"{entry!r} has no valid host name; wildcards are not supported")
    return name.rstrip(".")
