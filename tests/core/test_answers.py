"""Headers of each answer, media types, lengths and compression, on every route (RFC 9110)."""

from __future__ import annotations

import asyncio
import gzip
import re
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from aiohttp import ClientSession, hdrs  # noqa: TID251  # reads coded content

from biont.application import Application
from biont.testing import ApiClient

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Operation = dict[str, Any]


def list_operations(application: Application) -> Iterator[tuple[str, str, Operation]]:
    """Yield the method, a path, and the operation of each route of our own API."""
    for path, methods in orjson.loads(application.openapi)["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/api/v1"):
                filled = re.sub(r"\{[a-z_]+\}", "99", path).replace(
                    "integrations/99/send", "integrations/x/send"
                )
                yield method.upper(), filled.removeprefix("/api/v1"), operation


async def send(client: ApiClient, text: str) -> tuple[int, dict[str, str], bytes]:
    """Send a request as it is; return the status, the headers and the body of the answer."""
    address = urlsplit(client.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(text.encode())
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)).decode()
        status_line, *lines = head.strip().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (each.partition(": ") for each in lines)
        }
        body = await asyncio.wait_for(reader.readexactly(int(headers["content-length"])), 60)
        return int(status_line.split()[1]), headers, body
    finally:
        writer.close()


def decode(content: bytes, coding: str | None) -> bytes:
    """Return content without its coding."""
    if coding is None:
        return content
    return gzip.decompress(content) if coding == "gzip" else zstd.decompress(content)


async def test_each_answer_has_the_standard_headers(
    application: Application, client: ApiClient
) -> None:
    seen = set()
    for method, path, operation in list_operations(application):
        if "text/event-stream" in str(operation["responses"].get("200")):
            continue
        answer = await client.request(method, path)
        seen.add(answer.status)
        place = (method, path, answer.status)
        assert answer.headers["Server"] == "biont", place
        assert answer.headers["X-Content-Type-Options"] == "nosniff", place
        assert answer.headers["X-Request-ID"], place
        assert answer.headers["Cache-Control"] in ("no-store", "private, no-cache"), place
        assert str(answer.status) in operation["responses"], place
    assert {200, 404, 415, 422} <= seen, seen


async def test_each_route_refuses_a_media_type_that_it_does_not_have(
    application: Application, client: ApiClient
) -> None:
    for method, path, operation in list_operations(application):
        answer = await client.request(method, path, headers={"Accept": "image/png"})
        may_be_refused = "406" in operation["responses"]
        assert (answer.status == 406) == may_be_refused, (method, path, answer.status)
        has_content = any(
            "content" in response
            for status, response in operation["responses"].items()
            if status.startswith("2")
        )
        assert may_be_refused == has_content, (method, path)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/*", 200),
        ("text/html, application/json;q=0.1", 200),
        ("text/html,application/xhtml+xml,*/*;q=0.8", 200),
        ("APPLICATION/JSON", 200),
        ("", 406),
        ("text/html", 406),
        ("text/*", 406),
        ("application/json;q=0", 406),
        ("application/json; q=0.000, text/html", 406),
    ],
)
async def test_an_answer_is_sent_to_clients_that_accept_json(
    client: ApiClient, accept: str, status: int
) -> None:
    answer = await client.request("GET", "/notes", headers={"Accept": accept})
    assert answer.status == status
    assert status == 200 or "application/json" in str(answer.document["detail"])


async def test_a_route_that_needs_a_body_says_so(
    application: Application, client: ApiClient
) -> None:
    key = client.headers["X-API-Key"]
    for method, path, operation in list_operations(application):
        if not operation.get("requestBody", {}).get("required"):
            continue
        head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n"
        status, _, body = await send(client, head)
        assert status == 411, (method, path, body)
        assert "411" in operation["responses"]


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


async def test_each_path_names_its_methods_for_any_other_method(
    application: Application, client: ApiClient
) -> None:
    paths: dict[str, set[str]] = {}
    for method, path, _ in list_operations(application):
        paths.setdefault(path, set()).add(method)
    for path, methods in paths.items():
        allowed = {*methods, "OPTIONS", *({"HEAD"} if "GET" in methods else ())}
        for method in (*METHODS, "TRACE", "OPTIONS"):
            if method in methods:
                continue
            answer = await client.request(method, path)
            assert answer.status == (204 if method == "OPTIONS" else 405), (method, path)
            assert set(answer.headers["Allow"].split(", ")) == allowed, (method, path)


async def test_each_get_route_answers_head_with_its_status_and_without_content(
    application: Application, client: ApiClient
) -> None:
    async with ClientSession(headers=client.headers) as session:
        for method, path, _ in list_operations(application):
            if method != "GET" or path == "/events/stream":
                continue
            url = f"{client.url}/api/v1{path}"
            async with session.get(url) as whole, session.head(url) as head:
                assert head.status == whole.status, path
                assert await head.read() == b"", path
                assert head.headers["Content-Type"] == whole.headers["Content-Type"], path


@pytest.mark.parametrize("sections", [{"server": {"port": 0, "body_limit": 2000}}])
async def test_each_route_with_a_body_refuses_what_is_too_large_or_is_not_json(
    application: Application, client: ApiClient
) -> None:
    refused = [
        (413, b'{"x": "' + b"x" * 3000 + b'"}', "application/json"),
        (415, b"title=Tea", "application/x-www-form-urlencoded"),
        (415, b"{}", "application/json; charset=latin-1"),
        (400, b"{", "application/json"),
    ]
    for method, path, operation in list_operations(application):
        if "requestBody" not in operation:
            continue
        for status, content, kind in refused:
            headers = {"Content-Type": kind}
            answer = await client.request(method, path, data=content, headers=headers)
            assert answer.status == status, (method, path, kind, answer.document)
            assert str(status) in operation["responses"], (method, path, status)


async def test_long_answers_are_compressed_as_the_client_accepts(client: ApiClient) -> None:
    note = await client.post("/notes", {"title": "Tea", "content": "green tea " * 1000})
    url = f"{client.url}/api/v1/notes/{note['id']}"
    async with ClientSession(headers=client.headers, auto_decompress=False) as session:
        plain, tag = await _fetch(session, url, "identity", None)
        for accepted, coding in [
            ("gzip", "gzip"),
            ("gzip, deflate, br, zstd", "zstd"),
            ("zstd;q=0.2, gzip;q=0.9", "gzip"),
            ("*", "zstd"),
            ("zstd;q=0, *", "gzip"),
            ("br, deflate", None),
            ("gzip;q=0", None),
            ("gzip;q=high", None),
        ]:
            content, coded_tag = await _fetch(session, url, accepted, coding)
            assert coded_tag == (tag if coding is None else f'{tag[:-1]}-{coding}"')
            assert decode(content, coding) == plain, accepted
            # The tag of a coded answer is known, and good for a change.
            known = {"If-None-Match": coded_tag, "Accept-Encoding": accepted}
            async with session.get(url, headers=known) as again:
                assert again.status == 304
                assert again.headers[hdrs.ETAG] == coded_tag
                assert "Accept-Encoding" in again.headers[hdrs.VARY]
            async with session.patch(url, json={}, headers={"If-Match": coded_tag}) as change:
                assert change.status == 200


async def _fetch(
    session: ClientSession, url: str, accepted: str, coding: str | None
) -> tuple[bytes, str]:
    async with session.get(url, headers={"Accept-Encoding": accepted}) as answer:
        assert answer.headers.get(hdrs.CONTENT_ENCODING) == coding, accepted
        assert "Accept-Encoding" in answer.headers[hdrs.VARY]
        return await answer.read(), answer.headers[hdrs.ETAG]


async def test_short_answers_are_not_compressed(client: ApiClient) -> None:
    answer = await client.request("GET", "/notes", headers={"Accept-Encoding": "gzip"})
    assert hdrs.CONTENT_ENCODING not in answer.headers


async def test_an_export_is_compressed_in_pieces_and_an_archive_is_not(client: ApiClient) -> None:
    for number in range(20):
        await client.post("/notes", {"title": f"Tea {number}", "content": "green tea " * 500})
    async with ClientSession(headers=client.headers, auto_decompress=False) as session:
        url = f"{client.url}/api/v1/notes/export"
        async with session.get(url, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers[hdrs.CONTENT_ENCODING] == "gzip"
            assert len(gzip.decompress(await answer.read()).splitlines()) == 20
        async with session.get(f"{url}?format=markdown") as archive:
            assert hdrs.CONTENT_ENCODING not in archive.headers
            assert (await archive.read()).startswith(b"PK")


async def test_head_of_a_compressed_answer_has_its_length(client: ApiClient) -> None:
    await client.post("/notes", {"title": "Tea", "content": "green tea " * 1000})
    headers = {**client.headers, "Accept-Encoding": "gzip"}
    async with ClientSession(headers=headers, auto_decompress=False) as session:
        url = f"{client.url}/api/v1/notes/1"
        async with session.get(url) as whole, session.head(url) as head:
            assert await head.read() == b""
            for name in (hdrs.CONTENT_LENGTH, hdrs.CONTENT_ENCODING, hdrs.ETAG):
                assert head.headers[name] == whole.headers[name]
