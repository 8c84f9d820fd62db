from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

import pytest
import uvloop
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from biont.egress import EgressPolicy, EgressResponse, EgressSession
from biont.exceptions import ForbiddenAddress, RequestFailed

METADATA_ADDRESSES = [
    "169.254.169.254",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "169.254.170.2",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "fd00:a9fe:a9fe::1",
    "fe80::a9fe:a9fe",
    "::ffff:169.254.169.254",
    "::ffff:0:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::169.254.169.254",
    "64:ff9b:1:a9fe:a9:fe00::",
    "2001:4860:64::168.63.129.16",
    "2002:a9fe:a9fe::1",
    "2002:a83f:8110::1",
    "2001:0:a9fe:a9fe::1",
    "2001:0:5db8:d822:8000:0:5601:5601",
]

FORBIDDEN_ADDRESSES = [
    *METADATA_ADDRESSES,
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.1.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]

PUBLIC_ADDRESSES = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "86.1.86.1", "2606:4700::1111"]


class Run(Protocol):
    def __call__(self, main: Coroutine[object, object, None], /) -> None: ...


class ScriptedResolver(AbstractResolver):
    """Gives one prepared answer after another, whatever it is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = iter(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in next(self._answers)
        ]

    async def close(self) -> None:
        pass


class LenientPolicy(EgressPolicy):
    """Waves each URL through, so that only the later checks are left."""

    def check_url(self, url: str | URL) -> URL:
        return URL(url)


async def post(
    url: str | URL, *answers: Sequence[str], policy: EgressPolicy | None = None
) -> EgressResponse:
    resolver = ScriptedResolver(*answers)
    async with EgressSession(policy or EgressPolicy(), resolver=resolver) as session:
        return await session.post(url, body=b"{}", headers={})


def spell(address: str) -> str:
    return f"[{address}]" if ":" in address else address


async def answer(request: web.Request) -> web.Response:
    # A connection serves one request only, so that each request is judged anew.
    return web.Response(text=request.host, headers={"Connection": "close"})


def make_server() -> TestServer:
    app = web.Application()
    app.router.add_post("/", answer)
    return TestServer(app)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with make_server() as server:
        assert server.port is not None
        yield server.port


@pytest.mark.parametrize("address", FORBIDDEN_ADDRESSES)
class TestForbiddenAddress:
    async def test_as_a_literal_in_the_url(self, address: str, opened: list[str]) -> None:
        opened.clear()
        with pytest.raises(ForbiddenAddress):
            await post(f"http://{spell(address)}:8080/")
        assert opened == []

    async def test_as_a_literal_that_the_url_check_missed(
        self, address: str, opened: list[str]
    ) -> None:
        opened.clear()
        with pytest.raises(ForbiddenAddress):
            await post(f"http://{spell(address)}:8080/", policy=LenientPolicy())
        assert opened == []

    @pytest.mark.parametrize("others", [[], ["1.1.1.1"], ["1.1.1.1", "2606:4700::1111"]])
    async def test_as_an_address_of_a_name(
        self, address: str, others: list[str], opened: list[str]
    ) -> None:
        for addresses in ([*others, address], [address, *others]):
            opened.clear()
            with pytest.raises(ForbiddenAddress, match=r"hook\.example resolves to"):
                await post("http://hook.example/", addresses)
            assert opened == []


@pytest.mark.parametrize("address", METADATA_ADDRESSES)
async def test_no_exception_permits_a_metadata_address(address: str, opened: list[str]) -> None:
    policy = EgressPolicy(["0.0.0.0/0:*", "[::/0]:*", f"{spell(address)}:80", "hook.example:80"])
    opened.clear()
    with pytest.raises(ForbiddenAddress, match="no setting permits"):
        policy.check_url(f"http://{spell(address)}/")
    with pytest.raises(ForbiddenAddress, match="no setting permits"):
        await post("http://hook.example/", [address], policy=policy)
    assert opened == []


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_a_public_address_is_permitted(address: str) -> None:
    EgressPolicy().check_address(address, 443)
    EgressPolicy().check_address(address, 443, host="hook.example")
    EgressPolicy().check_url(f"https://{spell(address)}/")


@given(address=st.ip_addresses())
def test_addresses_that_python_calls_special_are_forbidden(
    address: IPv4Address | IPv6Address,
) -> None:
    try:
        EgressPolicy().check_address(str(address), 443)
    except ForbiddenAddress:
        return
    assert address.is_global
    assert not address.is_multicast


@pytest.mark.parametrize("name", ["hook.example", "HOOK.example", "hook.example."])
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_an_excepted_name_is_permitted_with_all_its_addresses(name: str, run: Run) -> None:
    async def reach() -> None:
        async with make_server() as server:
            policy = EgressPolicy([f"{name}:{server.port}"])
            url = f"http://hook.example:{server.port}/"
            response = await post(url, ["127.0.0.1", "127.0.0.1"], policy=policy)
            assert response.body == f"hook.example:{server.port}".encode()

    run(reach())


async def test_an_excepted_name_opens_its_address_to_no_other_name_or_port(port: int) -> None:
    policy = LenientPolicy([f"hook.example:{port}"])
    resolver = ScriptedResolver(*[["127.0.0.1"]] * 4)
    async with EgressSession(policy, resolver=resolver) as session:
        for forbidden in (
            f"http://other.example:{port}/",
            f"http://sub.hook.example:{port}/",
            f"http://hook.example:{port - 1}/",
            f"http://127.0.0.1:{port}/",
        ):
            good = await session.post(f"http://hook.example:{port}/", body=b"", headers={})
            assert good.status == 200
            with pytest.raises(ForbiddenAddress):
                await session.post(forbidden, body=b"", headers={})


async def test_a_name_that_is_rebound_after_the_check_is_refused(
    port: int, opened: list[str]
) -> None:
    policy = EgressPolicy([f"127.0.0.1:{port}"])
    resolver = ScriptedResolver(["127.0.0.1"], ["127.0.0.2"])
    url = policy.check_url(f"http://hook.example:{port}/")
    async with EgressSession(policy, resolver=resolver) as session:
        assert (await session.post(url, body=b"", headers={})).status == 200
    async with EgressSession(policy, resolver=resolver) as session:
        opened.clear()
        with pytest.raises(ForbiddenAddress, match=r"resolves to 127\.0\.0\.2"):
            await session.post(url, body=b"", headers={})
        assert opened == []


async def test_requests_that_share_a_look_up_are_all_refused(opened: list[str]) -> None:
    # Whether they share it is up to the event loop: there is an answer for each.
    resolver = ScriptedResolver(*[["10.0.0.1"]] * 20)
    async with EgressSession(EgressPolicy(), resolver=resolver) as session:
        opened.clear()
        requests = [session.post("http://hook.example/", body=b"", headers={}) for _ in range(20)]
        errors = await asyncio.gather(*requests, return_exceptions=True)
        assert {type(error) for error in errors} == {ForbiddenAddress}
        assert opened == []


async def test_a_name_without_any_address_is_an_error_of_the_connection() -> None:
    with pytest.raises(RequestFailed, match=r"hook\.example"):
        await post("http://hook.example/", [])
