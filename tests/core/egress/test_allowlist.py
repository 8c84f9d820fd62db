# ruff: noqa: RUF001 - misleading characters are what is tested
from __future__ import annotations

import pytest

from biont.egress import EgressPolicy
from biont.exceptions import ForbiddenAddress


@pytest.mark.parametrize(
    ("exception", "address", "port", "permitted"),
    [
        ("127.0.0.0/8:9000", "127.1.2.3", 9000, True),
        ("127.0.0.0/8:9000", "127.0.0.1", 9001, False),
        ("127.0.0.0/8:9000", "128.0.0.1", 9001, True),
        ("127.0.0.0/8:9000", "::1", 9000, False),
        ("127.0.0.0/8:9000", "::ffff:127.0.0.1", 9000, False),
        ("127.0.0.1:*", "127.0.0.1", 1, True),
        ("127.0.0.1:*", "127.0.0.2", 1, False),
        ("[::1]:443", "::1", 443, True),
        ("[::1]:443", "::2", 443, False),
        ("[fd00::/8]:443", "fd12::1", 443, True),
        ("[fd00::/8]:443", "fd12::1", 80, False),
        ("[fd00::/8]:443", "fd12::1%eth0", 443, False),
        ("hook.example:443", "10.0.0.1", 443, False),
    ],
)
def test_an_exception_allows_only_its_addresses_and_port(
    exception: str, address: str, port: int, *, permitted: bool
) -> None:
    policy = EgressPolicy([exception])
    if permitted:
        policy.check_address(address, port)
    else:
        with pytest.raises(ForbiddenAddress):
            policy.check_address(address, port)


@pytest.mark.parametrize("exception", ["hook.example:443", "HOOK.example.:443", "hook.example:*"])
def test_an_exception_for_a_name_matches_every_spelling(exception: str) -> None:
    policy = EgressPolicy([exception])
    for host in ("hook.example", "Hook.Example", "hook.example."):
        policy.check_address("10.0.0.1", 443, host=host)
    with pytest.raises(ForbiddenAddress):
        policy.check_address("10.0.0.1", 443, host="other.example")


@pytest.mark.parametrize(
    ("exception", "reason"),
    [
        ("", "form host:port"),
        ("hook.example", "form host:port"),
        (":80", "form host:port"),
        ("127.0.0.1", "form host:port"),
        ("127.0.0.1:", "1-65535, or"),
        ("127.0.0.1:0", "1-65535, or"),
        ("127.0.0.1:65536", "1-65535, or"),
        ("127.0.0.1:http", "1-65535, or"),
        ("127.0.0.1:８０", "1-65535, or"),
        ("127.0.0.1/8:80", "has host bits set"),
        ("127.0.0.0/33:80", "no valid address"),
        ("127.1:80", "no valid address"),
        ("0x7f000001:80", "no valid address"),
        ("[fd00::/8:443", "brackets"),
        ("fd00::/8:443", "brackets"),
        ("[hook.example]:443", "no valid address"),
        ("*.example.com:443", "wildcards"),
        ("https://hook.example:443", "brackets|host name"),
        ("hook example:443", "host name"),
    ],
)
def test_a_malformed_exception_is_refused_with_a_remedy(exception: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refusal:
        EgressPolicy([exception])
    assert repr(exception) in str(refusal.value)
