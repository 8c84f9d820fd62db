"""Every page: opens for each scope that may read, protects itself, and keeps users apart."""

from __future__ import annotations

import pytest
from dashboard.conftest import Visit
from support.visitor import Visitor

from biont import Scope
from biont_dashboard.pages import api

PLAIN_PAGES = sorted(
    route.path
    for route in api
    if route.method == "GET" and not route.public and "{" not in route.path
)


@pytest.mark.parametrize("scope", [Scope.FULL, Scope.READ])
async def test_each_page_opens_on_an_empty_workbench(visit: Visit, scope: Scope) -> None:
    visitor = await visit("ada", scope)
    for path in PLAIN_PAGES:
        screen = await visitor.open(path)
        if scope is Scope.READ and path == "/dashboard/users":
            # The API, too, shows the accounts of others to keys of scope full only.
            assert screen.status == 403
            continue
        assert screen.status == 200, (path, screen.text)
        policy = screen.headers["Content-Security-Policy"]
        assert "script-src 'self'; style-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert screen.headers["Cache-Control"] == "no-store"
        for wrong in (" style=", " onclick=", "<style", "javascript:"):
            assert wrong not in screen.text, path


async def test_each_page_needs_a_session(visit: Visit) -> None:
    visitor = await visit(None)
    for path in PLAIN_PAGES:
        assert (await visitor.open(path)).status == 401, path


async def test_member_sees_no_page_of_administrators(visit: Visit) -> None:
    await visit("ada")
    visitor = await visit("bob")
    for path in PLAIN_PAGES:
        expected = 403 if path == "/dashboard/users" else 200
        assert (await visitor.open(path)).status == expected, path
    assert "/dashboard/users" not in (await visitor.open("/dashboard")).text


async def test_root_leads_to_the_dashboard(visitor: Visitor) -> None:
    assert (await visitor.open("/")).path == "/dashboard"


async def test_unknown_page_and_wrong_parameter_are_pages_too(visitor: Visitor) -> None:
    assert (await visitor.open("/dashboard/panels/none")).status == 404
    assert (await visitor.open("/dashboard/link/none")).status == 404
    screen = await visitor.open("/dashboard/palette?q=" + "a" * 300)
    assert (screen.status, "<h1>" in screen.text) == (422, True)
