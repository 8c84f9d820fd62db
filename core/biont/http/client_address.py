"""Address of the client of a request, also after proxies that the operator trusts.

A proxy appends the address of its client to ``X-Forwarded-For``. Any client can send this header:
the header is read from the end, and only as far as trusted proxies have written.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from aiohttp import hdrs, web

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

TRUSTED_PROXIES = web.AppKey("biont_trusted_proxies", Networks)
"""The networks of the proxies in front of an application; absent without any."""

_UNKNOWN = "unknown"
# A client with IPv6 has a whole network of this size.
_CLIENT_BITS = 64


def find_client_address(http: web.Request) -> str:
    """Return the address of a client, or ``unknown`` if the connection is closed already.

    Each address has one spelling: an IPv4 address within IPv6 is the IPv4 address, and the zone of
    an IPv6 address is left out.
    """
    address = _read(http.remote or "")
    trusted = http.app.get(TRUSTED_PROXIES)
    if trusted and hdrs.X_FORWARDED_FOR in http.headers:
        forwarded = ",".join(http.headers.getall(hdrs.X_FORWARDED_FOR)).split(",")
        while forwarded and address is not None and _is_trusted(address, trusted):
            following = _read(forwarded.pop().strip())
            if following is None:
                break
            address = following
    return _UNKNOWN if address is None else str(address)


def find_client_network(address: str) -> str:
    """Return the network that counts as one client: for IPv6 that of the first 64 bits."""
    if ":" not in address:
        return address
    return str(ip_network(f"{address}/{_CLIENT_BITS}", strict=False))


def _is_trusted(address: Address, trusted: Networks) -> bool:
    return any(address in network for network in trusted)


def _read(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
