"""Every page: opens for each scope that may read, protects itself, and keeps users apart."""

from __future__ import annotations

import gzip
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from dashboard.conftest import Visit
from pydantic import JsonValue
from support.visitor import Visitor

from biont import Scope
from biont.application import Application
from biont.testing import ApiClient, MakeClient, ManualClock, rows_of
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
        assert screen.status == 200, (path, screen.text)
        policy = screen.headers["Content-Security-Policy"]
        assert "script-src 'self'; style-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert screen.headers["Cache-Control"] == "no-store"
        if scope is Scope.READ:
            assert 'action="/dashboard/act"' not in screen.text, path
            acts = {form.button for form in screen.forms if form.method == "post"}
            assert acts == {"Sign out"}, path
        for wrong in (" style=", " onclick=", "<style", "javascript:"):
            assert wrong not in screen.text, path


@pytest.mark.parametrize("sections", [{"plugins": {"disable": ["audit"]}}])
async def test_pages_open_without_the_event_log(visitor: Visitor) -> None:
    for path in PLAIN_PAGES:
        assert (await visitor.open(path)).status in (200, 404), path
    for path in ("/dashboard", "/dashboard/webhooks", "/dashboard/schedules"):
        assert (await visitor.open(path)).status == 200, path


async def test_each_page_needs_a_session(visit: Visit) -> None:
    visitor = await visit(None)
    for path in PLAIN_PAGES:
        assert (await visitor.open(path)).status == 401, path


async def test_member_sees_no_page_of_administrators(visit: Visit) -> None:
    await visit("ada")
    visitor = await visit("bob")
    for path in PLAIN_PAGES:
        expected = 403 if path in ("/dashboard/users", "/dashboard/system/log") else 200
        assert (await visitor.open(path)).status == expected, path
    assert "/dashboard/users" not in (await visitor.open("/dashboard")).text


async def test_first_load_is_small(visitor: Visitor) -> None:
    home = await visitor.open("/dashboard")
    files = re.findall(r'(?:href|src)="(/dashboard/assets/[^"]+)"', home.text)
    assert len(files) >= 3
    texts = [home.text, *[(await visitor.open(path)).text for path in files]]
    assert sum(len(gzip.compress(text.encode())) for text in texts) < 40_000


async def test_files_are_known_to_a_browser_that_has_them(visitor: Visitor) -> None:
    path = "/dashboard/assets/dashboard.css"
    tag = (await visitor.open(path)).headers["ETag"]
    headers = {"If-None-Match": tag}
    async with visitor.http.get(visitor.url + path, headers=headers) as response:
        assert response.status == 304


async def test_root_leads_to_the_dashboard(visitor: Visitor) -> None:
    assert (await visitor.open("/")).path == "/dashboard"


async def test_unknown_page_and_wrong_parameter_are_pages_too(visitor: Visitor) -> None:
    assert (await visitor.open("/dashboard/panels/none")).status == 404
    assert (await visitor.open("/dashboard/link/none")).status == 404
    screen = await visitor.open("/dashboard/palette?q=" + "a" * 300)
    assert (screen.status, "<h1>" in screen.text) == (422, True)


async def test_users_never_see_one_another(
    visitor: Visitor, visit: Visit, client: ApiClient, open_client: MakeClient
) -> None:
    secret = "only-for-ada"
    await client.post("/notes", {"title": secret, "content": secret, "tags": [secret]})
    await client.post("/schedule", {"name": secret, "cron": "* * * * *", "prompt": secret})
    hook: JsonValue = {
        "url": f"http://127.0.0.1:9/{secret}",
        "name": secret,
        "event_types": ["*"],
    }
    await client.post("/webhooks/outgoing/register", hook)
    await client.post("/events", {"event_type": "custom_x", "payload": {"text": secret}})
    await client.post("/keys/create", {"name": secret})
    event = rows_of(await client.get("/events"))[0]["id"]
    await open_client("root")
    bob = await visit("bob")
    details = [
        route.path
        for route in api
        if route.method == "GET" and not route.public and "{" in route.path
    ]
    objects = ["notes/1", "notes/1/edit", "keys/1", "webhooks/1", "schedules/1", f"events/{event}"]
    paths = [*PLAIN_PAGES, *(f"/dashboard/{each}" for each in objects)]
    paths += ["/dashboard/palette?q=only", "/dashboard/notes?q=only", "/dashboard/api/v1/notes"]
    paths += [re.sub(r"\{[a-z_]+\}", "1", path) for path in details if ":" not in path]
    shown = 0
    for path in dict.fromkeys(paths):
        assert secret not in (await bob.open(path)).text, path
        shown += secret in (await visitor.open(path)).text
    # The same pages do show the texts to their owner.
    assert shown >= 5


class TestLockedDatabase:
    """A database that another program keeps locked for writing."""

    @pytest.fixture
    def sections(self, tmp_path: Path) -> dict[str, object]:
        """A database of its own, with a short wait for the lock."""
        url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
        return {
            "database": {"url": url, "busy_timeout": 0.1},
            "vault": {"key_file": str(tmp_path / "own.key")},
        }

    async def test_pages_are_read_although_nothing_can_be_written(
        self, application: Application, visitor: Visitor, clock: ManualClock
    ) -> None:
        path = application.workbench.settings.database.path
        # The session is due to be prolonged.
        clock.advance(seconds=3600)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert (await visitor.open("/dashboard/notes")).status == 200
