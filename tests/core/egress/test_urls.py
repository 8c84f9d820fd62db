# ruff: noqa: RUF001 - misleading characters are what is tested
from __future__ import annotations

import pytest
from yarl import URL

from biont.egress import EgressPolicy, EgressSession
from biont.exceptions import ForbiddenAddress

HOSTILE_URLS = [
    # other schemes
    "tcp://127.0.0.1:80/",
    "tcp://example.com:80/",
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://127.0.0.1:6379/_INFO",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "data:text/html,hello",
    "javascript:alert(1)",
    "ws://example.com/",
    "//example.com/",
    "example.com",
    "",
    # no host, or none that could be resolved
    "http://",
    "http:///path",
    "http:example.com",
    "http://?query",
    "http://:80/",
    "http://./",
    "http://example..com/",
    "http://.example.com/",
    "http://" + "a" * 64 + ".com/",
    "http://" + "é" * 64 + ".com/",
    "http://" + "a." * 130 + "com/",
    "http://exam%70le.com/",
    "http://127.0.0.1%2f.example.com/",
    "http://example.com%00.org/",
    "http://exam\u00adple.com/",
    "http://\udc80.com/",
    "http://*.example.com/",
    # user information
    "http://user@127.0.0.1/",
    "http://user:password@example.com/",
    "http://example.com@127.0.0.1/",
    "http://example.com:80@127.0.0.1/",
    "http://:@example.com/",
    "http://127.0.0.1#@example.com/",
    "http://127.0.0.1?@example.com/",
    # ports
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:99999/",
    "http://example.com:-1/",
    "http://example.com:80:90/",
    "http://example.com:http/",
    # characters that parsers strip, or read differently
    "http://example.com/\r\nHost: 127.0.0.1",
    "http://exam\tple.com/",
    "http://exam\nple.com/",
    " http://example.com/",
    "http://example.com/ ",
    "http://example.com/\x00",
    "http://example.com/\x7f",
    "http://example.com\u2028/",
    "http://example.com\u00a0/",
    "http://example.com\\@127.0.0.1/",
    "http:\\\\127.0.0.1/",
    "http://example.com/" + "a" * 4096,
    # 127.0.0.1 in other spellings
    "http://0x7f000001/",
    "http://0x7F000001/",
    "http://0x7f.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://2130706433/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.0.0.1./",
    "http://127.0.0.01/",
    "http://127.0.0.1.0/",
    "http://0/",
    "http://0x/",
    "http://①②⑦.⓪.⓪.①/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://127．0．0．1/",
    "http://０ｘ７ｆ０００００１/",
    "http://%31%32%37.0.0.1/",
    "http://[127.0.0.1]/",
    "http://[::1/",
    "http://[::1]example.com/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[fe80::1%25eth0]/",
    "http://[2606:4700::1111%25eth0]/",
    "http://[v1.a:b]/",
    # localhost by name
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://anything.localhost/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
]


@pytest.mark.parametrize("url", HOSTILE_URLS)
async def test_a_hostile_url_is_refused_before_a_socket_is_opened(
    url: str, opened: list[str]
) -> None:
    with pytest.raises(ForbiddenAddress):
        EgressPolicy().check_url(url)
    async with EgressSession(EgressPolicy()) as session:
        opened.clear()
        with pytest.raises(ForbiddenAddress):
            await session.post(url, body=b"", headers={})
        assert opened == []


@pytest.mark.parametrize(
    "url",
    [
        URL("tcp://example.com:80/"),
        URL("/relative"),
        URL("http://user@example.com/"),
        URL("http://127.1/", encoded=True),
        URL("http://exam ple.com/", encoded=True),
        URL.build(scheme="http", host="127.0.0.1"),
        URL.build(scheme="http", host="example.com", port=0),
    ],
    ids=str,
)
async def test_an_already_parsed_url_is_checked_again(url: URL, opened: list[str]) -> None:
    async with EgressSession(EgressPolicy()) as session:
        opened.clear()
        with pytest.raises(ForbiddenAddress):
            await session.post(url, body=b"", headers={})
        assert opened == []


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("https://hook.example/path?token=1#part", "https://hook.example/path?token=1#part"),
        ("HTTP://Hook.Example:8080/", "http://hook.example:8080/"),
        ("https://hook.example./", "https://hook.example./"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("https://under_score.hook.example/", "https://under_score.hook.example/"),
        ("https://1.hook.example/", "https://1.hook.example/"),
        ("https://hook.example/@127.0.0.1", "https://hook.example/@127.0.0.1"),
    ],
)
def test_an_allowed_url_is_returned_parsed(url: str, parsed: str) -> None:
    assert str(EgressPolicy().check_url(url)) == parsed


@pytest.mark.parametrize(
    "url",
    [
        "http://alice:hunter2@127.0.0.1/?key=hunter2",
        "http://127.0.0.1/hunter2?key=hunter2",
        "http://alice:hunter2@exam\u2100ple.com/",
        "http://alice:hunter2@[::1/",
        "alice:hunter2@example.com",
    ],
)
def test_a_refusal_has_neither_password_nor_path(url: str) -> None:
    with pytest.raises(ForbiddenAddress) as refusal:
        EgressPolicy().check_url(url)
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_an_unusual_spelling_of_an_address_is_named_as_the_reason() -> None:
    policy = EgressPolicy(["0.0.0.0/0:*"])
    with pytest.raises(ForbiddenAddress, match="write four decimal numbers"):
        policy.check_url("http://127.1/")


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("http://10.0.0.5:8080/", '"10.0.0.5:8080" in the setting egress.allow'),
        ("https://[fd12::5]/", '"[fd12::5]:443" in the setting egress.allow'),
        ("http://localhost:9000/", '"localhost:9000" in the setting egress.allow'),
    ],
)
def test_the_remedy_in_a_refusal_allows_the_url(url: str, remedy: str) -> None:
    with pytest.raises(ForbiddenAddress) as refusal:
        EgressPolicy().check_url(url)
    assert remedy in str(refusal.value)
    assert EgressPolicy([remedy.split('"')[1]]).check_url(url) == URL(url)
