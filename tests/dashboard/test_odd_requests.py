"""Odd requests to pages: answered with an error of the client, never with a failure."""

from __future__ import annotations

import pytest
from support.visitor import Visitor

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
