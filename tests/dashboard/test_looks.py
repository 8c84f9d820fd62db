"""Administrators look at the rows of a user, from page to page, until they stop."""

from __future__ import annotations

import re
from html import unescape

from dashboard.conftest import Visit
from pydantic import JsonValue
from support.senders import Sender
from support.visitor import Visitor

from biont import Scope
from biont.testing import ApiClient, MakeClient, rows_of

BANNER = "You see the rows of"


async def begin(visitor: Visitor, number: object) -> None:
    page = await visitor.open(f"/dashboard/users/{number}")
    screen = await visitor.press(page, "Look at their rows")
    assert screen.status == 200, screen.text
    assert BANNER in screen.text


async def test_all_pages_show_the_rows_of_the_user_until_the_end(
    visit: Visit, client: ApiClient, open_client: MakeClient
) -> None:
    bob = await open_client("bob")
    note = await bob.post("/notes", {"title": "of bob"})
    await client.post("/notes", {"title": "note of hers"})
    number = (await bob.get("/me"))["id"]
    for scope in (Scope.FULL, Scope.READ):
        visitor = await visit("ada", scope)
        await begin(visitor, number)
        notes = await visitor.open("/dashboard/notes")
        assert ("of bob" in notes.text, "note of hers" in notes.text) == (True, False)
        for path in (f"/dashboard/notes/{note['id']}", "/dashboard/chat", "/dashboard/keys"):
            page = await visitor.open(path)
            assert page.status == 200
            assert BANNER in page.text
            forms = [form for form in page.forms if form.method == "post"]
            assert {form.button for form in forms} == {"Stop looking", "Sign out"}
        assert "of bob" in (await visitor.open("/dashboard/api/v1/notes")).text
        assert f"-H &#39;X-User-ID: {number}&#39;" in page.text
        # Refused for the look, and not shown as an own page.
        lost = await visitor.open("/dashboard/notes/999")
        assert (lost.status, "Stop looking" in lost.text) == (404, True)
        users = await visitor.press(lost, "Stop looking")
        assert (users.status, BANNER in users.text) == (200, False)
        assert "note of hers" in (await visitor.open("/dashboard/notes")).text
    looks = rows_of(await bob.get("/events?event_type=user_viewed"))
    assert len(looks) == 2


async def test_forms_change_nothing_while_looking(
    visitor: Visitor, client: ApiClient, open_client: MakeClient
) -> None:
    bob = await open_client("bob")
    form = (await visitor.open("/dashboard/notes/new")).find_form("Keep note")
    await begin(visitor, (await bob.get("/me"))["id"])
    screen = await visitor.send(form.action, form.fields | {"body.title": "by ada"})
    assert screen.status == 403
    token = {"X-CSRF-Token": form.fields["csrf"]}
    relayed = await visitor.send("/dashboard/api/v1/notes", {}, headers=token)
    assert relayed.status == 403
    assert rows_of(await client.get("/notes")) == rows_of(await bob.get("/notes")) == []
    assert "by ada" not in (await visitor.open("/dashboard/notes")).text
    out = await visitor.press(await visitor.open("/dashboard"), "Sign out")
    assert out.path == "/dashboard/sign-in"


async def test_a_look_needs_the_form_and_the_role(
    visit: Visit, visitor: Visitor, open_client: MakeClient
) -> None:
    bob, eve = await open_client("bob"), await visit("eve")
    number = str((await bob.get("/me"))["id"])
    page = await eve.open("/dashboard")
    csrf = page.find_form("Sign out").fields["csrf"]
    assert (await eve.send("/dashboard/look", {"csrf": csrf, "user": number})).status == 403
    assert (await visitor.send("/dashboard/look", {"user": number})).status == 403
    csrf = (await visitor.open("/dashboard")).find_form("Sign out").fields["csrf"]
    assert (await visitor.send("/dashboard/look", {"csrf": csrf, "user": "999"})).status == 422
    for each in (eve, visitor):
        # A cookie that this session has not got from its form.
        each.http.cookie_jar.update_cookies({"biont_look": f"{number}.{'0' * 64}"})
        home = await each.open("/dashboard")
        assert (home.status, BANNER in home.text) == (200, False)
    assert rows_of(await bob.get("/events?event_type=user_viewed")) == []


async def test_a_look_at_a_user_who_is_gone_can_be_ended(
    visitor: Visitor, client: ApiClient, open_client: MakeClient
) -> None:
    bob = await open_client("bob")
    number = (await bob.get("/me"))["id"]
    await begin(visitor, number)
    await client.request("DELETE", f"/users/{number}?confirm=bob")
    await client.get_until("/users", lambda found: len(rows_of(found)) == 1)
    home = await visitor.open("/dashboard")
    assert home.status == 422
    assert (await visitor.press(home, "Stop looking")).status == 200


async def test_a_read_only_session_can_sign_out(visit: Visit) -> None:
    reader = await visit("ada", Scope.READ)
    out = await reader.press(await reader.open("/dashboard"), "Sign out")
    assert (out.status, out.path) == (200, "/dashboard/sign-in")
    assert (await reader.open("/dashboard")).status == 401


async def test_each_page_that_a_look_leads_to_opens(
    visitor: Visitor, open_client: MakeClient
) -> None:
    bob = await open_client("bob")
    await bob.post("/notes", {"title": "of bob"})
    await bob.post("/schedule", {"every": 3600, "prompt": "of bob"})
    await bob.post("/reminders", {"text": "of bob", "every": 3600})
    await bob.post("/missions", {"goal": "of bob", "start": False})
    hook: JsonValue = {"url": "http://127.0.0.1:9/x", "event_types": ["*"]}
    await bob.post("/webhooks/outgoing/register", hook)
    note: JsonValue = {"kind": "note", "title": "x", "content": "y"}
    inbound: JsonValue = {"name": "of bob", "preset": "github", "action": note}
    made = await bob.post("/webhooks/incoming", inbound)
    await Sender(str(made["url"]), str(made["secret"])).send()
    await bob.post("/events", {"event_type": "custom_x"})
    await begin(visitor, (await bob.get("/me"))["id"])
    seen: set[str] = set()
    coming = ["/dashboard"]
    while coming and len(seen) < 120:
        path = coming.pop(0)
        page = await visitor.open(path)
        assert page.status == 200, (path, page.text)
        assert BANNER in page.text, path
        seen.add(path)
        for found in re.findall(r'href="(/dashboard[^"#]*)"', page.text):
            link = unescape(found)
            # Files of the dashboard, and exports.
            if not link.startswith(("/dashboard/assets", "/dashboard/api")):
                coming += [link] if link not in seen | {*coming} else []
    areas = ("webhooks", "schedules", "notes", "inbound")
    assert {f"/dashboard/{area}/1" for area in areas} <= seen
