"""Address of the client of a request, also behind proxies that the operator trusts.

A proxy appends the address of its client to ``X-Forwarded-For``. Anybody can send this header, so
it is read from the end, and only as far as trusted proxies have written it.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from aiohttp import hdrs, web

Networks = Sequence[IPv4Network | IPv6Network]

TRUSTED_PROXIES = web.AppKey("biont_trusted_proxies", Networks)
"""The networks of the proxies in front of an application; absent without any."""

_UNKNOWN = "unknown"
# A client with IPv6 has a whole network of this size.
_CLIENT_BITS = 64


def find_client_address(http: web.Request) -> str:
    """Return the address of a client, or ``unknown`` if the connection is closed already."""
    address = http.remote or _UNKNOWN
    trusted = http.app.get(TRUSTED_PROXIES)
    if not trusted or hdrs.X_FORWARDED_FOR not in http.headers:
        return address
    forwarded = ",".join(http.headers.getall(hdrs.X_FORWARDED_FOR)).split(",")
    while forwarded and _is_trusted(address, trusted):
        following = forwarded.pop().strip()
        if _read(following) is None:
            break
        address = following
    return address


def find_client_network(http: web.Request) -> str:
    """Return the address of a client, for IPv6 the network of its first 64 bits."""
    address = find_client_address(http)
    if ":" not in address or _read(address) is None:
        return address
    plain = address.partition("%")[0]
    return str(ip_network(f"{plain}/{_CLIENT_BITS}", strict=False))


def _is_trusted(address: str, trusted: Networks) -> bool:
    found = _read(address)
    return found is not None and any(found in network for network in trusted)


def _read(text: str) -> object:
    try:
        return ip_address(text)
    except ValueError:
        return None
