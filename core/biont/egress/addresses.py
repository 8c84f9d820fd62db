"""Tables of public addresses and of cloud metadata services.

The tables follow the IANA special-purpose address registries. `ipaddress.is_global` does not
serve: its result changes with Python's patch releases, and it counts multicast, NAT64 and
relayed IPv4 addresses as global.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

_SPECIAL_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays to 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)

# All public IPv6 addresses lie in this network. Loopback, mapped and compatible IPv4, NAT64,
# unique local, link-local, site-local and multicast addresses lie outside.
_GLOBAL_UNICAST_IPV6 = IPv6Network("2000::/3")

_SPECIAL_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, among them Teredo
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)

_METADATA = frozenset(
    ip_address(address).packed
    for address in (
        "169.254.169.254",  # nearly every cloud
        "169.254.169.253",  # Amazon: name server
        "169.254.169.123",  # Amazon: time
        "169.254.170.2",  # Amazon: credentials of containers
        "169.254.170.23",  # Amazon: credentials of pods
        "169.254.0.23",  # Tencent
        "169.254.10.10",  # Tencent
        "169.254.42.42",  # Scaleway
        "168.63.129.16",  # Azure
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",  # Amazon
        "fd00:ec2::253",  # Amazon: name server
        "fd00:ec2::123",  # Amazon: time
        "fd00:ec2::23",  # Amazon: credentials of pods
        "fd20:ce::254",  # Google
        "fd00:42::42",  # Scaleway
        "fd00:100::100:200",  # Alibaba
    )
)


def is_public(address: IPAddress) -> bool:
    """Return whether `address` can only be a host of the public internet.

    IPv6 addresses that a gateway turns into IPv4 addresses (mapped, compatible, NAT64, 6to4,
    Teredo) are never public.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_IPV4)
    return address in _GLOBAL_UNICAST_IPV6 and not any(
        address in network for network in _SPECIAL_IPV6
    )


def is_metadata(address: IPAddress) -> bool:
    """Return whether `address` is, or leads to, a cloud's metadata service.

    An IPv6 address counts if any four octets in a row are the IPv4 address of a metadata
    service: a NAT64 gateway may have any prefix, so that the position of the IPv4 address is
    unknown. Octet 8 may be skipped (RFC 6052), and all octets may be inverted (Teredo,
    RFC 4380).
    """
    octets = address.packed
    if octets in _METADATA:
        return True
    if isinstance(address, IPv4Address):
        return False
    readings = (octets, octets[:8] + octets[9:], bytes(255 - octet for octet in octets))
    return any(
        reading[start : start + 4] in _METADATA for reading in readings for start in range(13)
    )
