"""Sign-in: by a link that is valid once, or by an API key; the session ends with its key."""

from __future__ import annotations

from datetime import timedelta

import pytest
from dashboard.conftest import Visit
from support.visitor import Visitor

from biont import Scope, Workbench
from biont.testing import ApiClient, MakeClient, ManualClock
from biont_dashboard.links import make_first_link, make_link


async def make_path(workbench: Workbench, user_id: int | None) -> str:
    """Return the path of a link that is valid for an hour."""
    now = workbench.clock.now()
    until = now + timedelta(hours=1)
    if user_id is None:
        token = await workbench.store.write(make_first_link, now, until)
    else:
        token = await workbench.store.write(make_link, user_id, now, until)
    return f"/dashboard/link/{token}"


async def test_first_link_makes_an_administrator_who_generates_a_key(
    workbench: Workbench, visit: Visit
) -> None:
    visitor = await visit(None)
    link = await make_path(workbench, None)
    welcome = await visitor.press(await visitor.open(link), "Make my user", name="ada")
    assert welcome.path == "/dashboard/welcome"
    result = await visitor.press(welcome, "Generate API key")
    key = next(
        word
        for word in result.text.replace("<", " ").replace(">", " ").split()
        if word.startswith("asb_")
    )
    async with ApiClient(visitor.url, key.strip('"')) as client:
        me = await client.get("/me")
    assert (me["name"], me["role"]) == ("ada", "admin")
    assert (await visitor.open(link)).status == 404


async def test_link_is_valid_once_and_not_used_up_by_looking(
    workbench: Workbench, client: ApiClient, visit: Visit
) -> None:
    user_id = (await client.get("/me"))["id"]
    assert isinstance(user_id, int)
    link = await make_path(workbench, user_id)
    first, second = await visit(None), await visit(None)
    seen = await first.open(link)
    await second.open(link)
    assert (await first.press(seen, "Sign in")).path == "/dashboard"
    assert (await second.send(link, {})).status == 404
    assert (await second.open("/dashboard")).status == 401


async def test_link_expires(
    workbench: Workbench, client: ApiClient, visit: Visit, clock: ManualClock
) -> None:
    user_id = (await client.get("/me"))["id"]
    assert isinstance(user_id, int)
    link = await make_path(workbench, user_id)
    clock.advance(seconds=3601)
    assert (await (await visit(None)).open(link)).status == 404


async def test_page_without_session_shows_the_form_that_leads_there(
    client: ApiClient, visit: Visit
) -> None:
    visitor = await visit(None)
    screen = await visitor.open("/dashboard/welcome?a=1")
    assert screen.status == 401
    after = await visitor.press(screen, "Sign in", key=client.headers["X-API-Key"])
    assert after.path == "/dashboard/welcome?a=1"


@pytest.mark.parametrize(
    "path", ["https://example.com", "//example.com", "/\\example.com", "/dashboard\\@a", "/api"]
)
async def test_sign_in_leads_to_no_other_site(client: ApiClient, visit: Visit, path: str) -> None:
    visitor = await visit(None)
    fields = {"key": client.headers["X-API-Key"], "next": path}
    assert (await visitor.send("/dashboard/sign-in", fields)).path == "/dashboard"


async def test_cookie_is_out_of_reach_and_not_the_key(client: ApiClient, visit: Visit) -> None:
    visitor = await visit(None)
    key = client.headers["X-API-Key"]
    async with visitor.http.post(
        f"{visitor.url}/dashboard/sign-in", data={"key": key}, allow_redirects=False
    ) as response:
        cookie = response.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert key not in cookie


async def test_wrong_key_is_refused_with_the_reason(visit: Visit) -> None:
    visitor = await visit(None)
    screen = await visitor.sign_in("asb_" + "0" * 64)
    assert screen.status == 401
    assert "not known" in screen.text
    assert visitor.session_key is None


async def test_key_that_may_not_read_cannot_sign_in(open_client: MakeClient, visit: Visit) -> None:
    client = await open_client("ada", Scope.CHAT)
    screen = await (await visit(None)).sign_in(client.headers["X-API-Key"])
    assert screen.status == 403


async def test_session_ends_with_its_key(
    client: ApiClient, visitor: Visitor, visit: Visit
) -> None:
    other = await visit(None)
    key = client.headers["X-API-Key"]
    await other.sign_in(key)
    assert (await other.open("/dashboard")).status == 200
    me = await client.get("/me")
    match me:
        case {"key": {"id": int(key_id)}}:
            await client.ask("DELETE", f"/keys/{key_id}")
    screen = await other.open("/dashboard")
    assert screen.status == 401
    assert "has ended" in screen.text
    # Further requests with the dead key would count as wrong ones.
    assert other.session_key is None
    assert (await visitor.open("/dashboard")).status == 200


async def test_session_slides_for_twelve_hours(visitor: Visitor, clock: ManualClock) -> None:
    clock.advance(seconds=11 * 3600)
    assert (await visitor.open("/dashboard")).status == 200
    clock.advance(seconds=11 * 3600)
    assert (await visitor.open("/dashboard")).status == 200
    clock.advance(seconds=12 * 3600 + 1)
    assert (await visitor.open("/dashboard")).status == 401


async def test_sign_out_ends_the_session(visitor: Visitor) -> None:
    key = visitor.session_key
    assert key is not None
    screen = await visitor.press(await visitor.open("/dashboard"), "Sign out")
    assert screen.path == "/dashboard/sign-in"
    async with ApiClient(visitor.url, key) as client:
        status, _ = await client.ask("GET", "/me")
    assert status == 401


class TestBehindTls:
    """A workbench that browsers reach by https."""

    @pytest.fixture
    def sections(self) -> dict[str, object]:
        """The address that browsers use."""
        return {"plugins": {"dashboard": {"url": "https://biont.example.com"}}}

    async def test_cookie_is_sent_over_tls_only(self, client: ApiClient, visit: Visit) -> None:
        visitor = await visit(None)
        async with visitor.http.post(
            f"{visitor.url}/dashboard/sign-in",
            data={"key": client.headers["X-API-Key"]},
            allow_redirects=False,
        ) as response:
            assert "Secure" in response.headers["Set-Cookie"].split("; ")
