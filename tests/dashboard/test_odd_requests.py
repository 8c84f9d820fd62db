"""Odd requests to pages: answered with an error of the client, never with a failure."""

from __future__ import annotations

import asyncio
import gzip

import pytest
from support.visitor import Visitor

from biont.testing import ManualClock

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("path", ["/dashboard/sign-in", "/dashboard/act", "/dashboard/sign-out"])
@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("multipart/form-data", b"a", 415),
        ("multipart/form-data; boundary=x", b"--x", 415),
        ("text/plain", b"key=a", 415),
        (FORM, b"key=%ff%fe", 400),
        (FORM, b"key=\xff", 400),
        (FORM, b"&".join([b"a=b"] * 1001), 400),
    ],
)
async def test_body_that_is_no_form(
    visitor: Visitor, path: str, content_type: str, body: bytes, status: int
) -> None:
    async with visitor.http.post(
        visitor.url + path, data=body, headers={"Content-Type": content_type}
    ) as response:
        assert response.status == status
        assert response.content_type == "text/html"


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard/notes?cursor=zzz",
        "/dashboard/notes?tag=,,",
        "/dashboard/notes/99999999999999999999",
        "/dashboard/notes/1/versions/7",
        "/dashboard/keys/abc",
        "/dashboard/link/%00%ff",
        "/dashboard/assets/..%2fplugin.py",
        "/dashboard/api/v1/..%2f..%2fdashboard",
        "/dashboard/none",
    ],
)
async def test_odd_path_or_query_is_an_error_of_the_client(visitor: Visitor, path: str) -> None:
    assert 400 <= (await visitor.open(path)).status < 500


async def test_other_methods_are_refused(visitor: Visitor) -> None:
    async with visitor.http.delete(f"{visitor.url}/dashboard/notes") as response:
        assert response.status == 405


@pytest.mark.parametrize("path", ["/dashboard/sign-in", "/dashboard/act", "/dashboard/link/x"])
async def test_form_of_another_origin_is_refused(visitor: Visitor, path: str) -> None:
    # As browsers send it without TLS, where they leave Sec-Fetch-Site out.
    for origin in ("http://evil.example", "null"):
        screen = await visitor.send(path, {"key": "a"}, headers={"Origin": origin})
        assert screen.status == 403
        assert "another site" in screen.text


async def test_form_of_the_own_origin_is_taken(visitor: Visitor) -> None:
    screen = await visitor.send("/dashboard/sign-in", {"key": ""}, headers={"Origin": visitor.url})
    assert screen.status == 401


async def read_note_form(visitor: Visitor, **changes: str) -> dict[str, str]:
    """Return the fields of a form that makes a note."""
    csrf = (await visitor.open("/dashboard")).find_form("Sign out").fields["csrf"]
    form = {"csrf": csrf, "method": "POST", "path": "/api/v1/notes", "body.title": "Bread"}
    return form | changes


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("body.x:int", "9" * 20),
        ("body.x:int", "9" * 5000),
        ("body.x:float", "9" * 30),
        ("body.x:int", "one"),
        ("body.x:json", "{"),
        ("body.stream:bool", "true"),
    ],
)
async def test_odd_field_is_refused(visitor: Visitor, field: str, text: str) -> None:
    form = await read_note_form(visitor, **{field: text})
    assert (await visitor.send("/dashboard/act", form)).status == 422


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard/notes/{content}",
        "/dashboard/x?{content}",
        "/dashboard?\0",
        "/dashboard/\x7f",
        "/dashboard/../../elsewhere",
        "/dashboard/%2e%2e/x",
        "/dashboard//evil.example",
    ],
)
async def test_odd_next_page_stays_in_the_dashboard(visitor: Visitor, path: str) -> None:
    form = await read_note_form(visitor, next=path, **{"body.content": "a\r\nb/../../c"})
    async with visitor.http.post(
        f"{visitor.url}/dashboard/act", data=form, allow_redirects=False
    ) as response:
        assert response.status == 303
        location = response.headers["Location"]
    assert location.startswith("/dashboard")
    assert ".." not in location.replace("%2F..%2F..%2F", "")


async def test_odd_cookie_token_and_host_are_no_failures(visitor: Visitor) -> None:
    key, path = visitor.session_key, "/dashboard/api/v1/notes/1"
    cookie = f"Cookie: biont_session={key}"
    port = int(visitor.url.rpartition(":")[2])
    for head in (
        f"GET /dashboard HTTP/1.1\r\nHost: x\r\nCookie: biont_session={key}; biont_flash=\xff\r\n",
        "GET /dashboard/sign-in HTTP/1.1\r\nHost: x:y\r\n",
        "GET /dashboard/sign-in HTTP/1.1\r\nHost: \r\n",
        "GET /dashboard HTTP/1.1\r\nHost: x\r\nCookie: biont_session=\xff\r\n",
        f"DELETE {path} HTTP/1.1\r\nHost: x\r\n{cookie}\r\nX-CSRF-Token: \xff\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"{head}Connection: close\r\n\r\n".encode("latin-1"))
        status = (await reader.read()).split(b" ")[1]
        writer.close()
        assert int(status) < 500, head


async def test_sentence_of_an_act_is_shown_as_it_is(visitor: Visitor) -> None:
    form = await read_note_form(visitor, done="Kept: “é” <b>", next="/dashboard/welcome")
    assert "Kept: “é” &lt;b&gt;" in (await visitor.send("/dashboard/act", form)).text


async def test_relay_takes_compressed_bodies(visitor: Visitor) -> None:
    csrf = (await read_note_form(visitor))["csrf"]
    headers = {
        "X-CSRF-Token": csrf,
        "Content-Encoding": "gzip",
        "Content-Type": "application/json",
    }
    body = gzip.compress(b'{"title": "Bread"}')
    async with visitor.http.post(
        f"{visitor.url}/dashboard/api/v1/notes", data=body, headers=headers
    ) as response:
        assert response.status == 201


async def test_page_that_only_refreshes_itself_lets_its_session_end(
    visitor: Visitor, clock: ManualClock
) -> None:
    for _ in range(3):
        clock.advance(seconds=5 * 3600)
        screen = await visitor.open("/dashboard", **{"X-Live-Part": "1"})
    assert screen.status == 401
