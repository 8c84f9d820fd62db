from __future__ import annotations

from datetime import datetime, timedelta
from types import ModuleType

import aiohttp
import pytest
from aiohttp import web
from pydantic import JsonValue

from biont import Api, Request, Scope, Workbench, hookimpl
from biont.accounts.sessions import delete_sessions, find_old_sessions
from biont.application import Application
from biont.exceptions import Forbidden, InvalidInput, NotFound
from biont.http import Dialect, ProblemDetails
from biont.testing import ApiClient, MakeClient, ManualClock, payload_of, rows_of

Fields = dict[str, JsonValue]

HOURS = timedelta(hours=12)


async def find_own(client: ApiClient) -> Fields:
    me = await client.get("/me")
    key = me["key"]
    assert isinstance(key, dict)
    return {**key, "user_id": me["id"]}


async def sign_in(
    workbench: Workbench,
    client: ApiClient,
    *,
    with_key: bool = True,
    until: datetime | None = None,
) -> tuple[ApiClient, int]:
    """Return a client with a new session of the user of `client`, and the session's number."""
    own = await find_own(client)
    assert isinstance(own["id"], int)
    assert isinstance(own["user_id"], int)
    plain, record = await workbench.keys.begin_session(
        own["user_id"],
        "Firefox",
        maker_key_id=own["id"] if with_key else None,
        address="192.0.2.7",
        until=until or workbench.clock.now() + HOURS,
    )
    return ApiClient(client.url, plain), record.id


async def make(client: ApiClient, **fields: JsonValue) -> tuple[ApiClient, Fields]:
    created = await client.post("/keys/create", {"name": "made", **fields})
    return ApiClient(client.url, str(created["key"])), created


async def works(client: ApiClient) -> bool:
    return (await client.ask("GET", "/me"))[0] == 200


async def test_a_session_has_the_rights_of_its_key_and_ends_with_it(
    workbench: Workbench, client: ApiClient
) -> None:
    narrow, made = await make(client, scope="read", events=["custom_*"])
    async with narrow:
        session, _ = await sign_in(workbench, narrow)
        async with session:
            own = await find_own(session)
            assert own["is_session"] is True
            assert own["maker_id"] == made["id"]
            assert (own["scope"], own["events"]) == ("read", ["custom_*"])
            assert (await session.ask("POST", "/notes", {"title": "Tea"}))[0] == 403
            assert (await client.ask("DELETE", f"/keys/{made['id']}"))[0] == 204
            assert not await works(session)


async def test_a_session_slides_as_far_as_its_key_goes(
    workbench: Workbench, client: ApiClient, clock: ManualClock
) -> None:
    end = clock.now() + timedelta(hours=20)
    maker, _ = await make(client, expires_at=end.isoformat())
    async with maker:
        session, number = await sign_in(workbench, maker)
        async with session:
            clock.advance(hours=11)
            assert await works(session)
            await workbench.keys.extend_session(number, clock.now() + HOURS)
            clock.advance(hours=8)
            assert await works(session)
            record = await workbench.keys.extend_session(number, clock.now() + timedelta(hours=1))
            assert record.expires_at == end
            clock.advance(hours=1)
            assert not await works(session)
            await workbench.keys.extend_session(number, clock.now() + HOURS)
            assert not await works(session)


async def test_an_unused_session_ends_and_does_not_come_back(
    workbench: Workbench, client: ApiClient, clock: ManualClock
) -> None:
    session, number = await sign_in(workbench, client)
    async with session:
        clock.advance(hours=12)
        assert not await works(session)
        await workbench.keys.extend_session(number, clock.now() + HOURS)
        assert not await works(session)


@pytest.mark.parametrize("by", ["route", "method"])
async def test_a_session_is_ended_at_once(
    workbench: Workbench, client: ApiClient, by: str
) -> None:
    session, number = await sign_in(workbench, client)
    async with session:
        assert await works(session)
        if by == "route":
            assert (await session.ask("DELETE", f"/keys/{number}"))[0] == 204
        else:
            await workbench.keys.end_session(number)
        status, problem = await session.ask("GET", "/me")
        assert (status, problem["detail"]) == (401, "the session has ended; sign in again")
        await workbench.keys.extend_session(number, workbench.clock.now() + HOURS)
        assert not await works(session)
    assert await works(client)


@pytest.mark.parametrize("with_key", [True, False])
async def test_a_key_made_by_a_session_outlives_it_within_the_limits_of_its_maker(
    workbench: Workbench, client: ApiClient, clock: ManualClock, *, with_key: bool
) -> None:
    end = clock.now() + timedelta(days=3)
    maker, made = await make(client, expires_at=end.isoformat(), models=["scripted"])
    async with maker:
        session, number = await sign_in(workbench, maker, with_key=with_key)
        async with session:
            key, created = await make(session)
            async with key:
                assert created["maker_id"] == (made["id"] if with_key else None)
                assert created["is_session"] is False
                assert (created["expires_at"] is not None) is with_key
                assert created["models"] == (["scripted"] if with_key else None)
                (event, *_) = rows_of(await client.get("/events?event_type=key_created"))
                assert payload_of(event)["by_key_id"] == number
                assert payload_of(event)["is_session"] is False
                later: Fields = {"name": "x", "expires_at": (end + HOURS).isoformat()}
                status = (await session.ask("POST", "/keys/create", later))[0]
                assert status == (422 if with_key else 201)
                await workbench.keys.end_session(number)
                assert await works(key)
                clock.advance(days=2)
                assert await works(key)
                assert (await client.ask("DELETE", f"/keys/{made['id']}"))[0] == 204
                assert await works(key) is not with_key


@pytest.mark.parametrize("with_key", [True, False])
async def test_a_session_rotates_what_its_key_could(
    workbench: Workbench, client: ApiClient, *, with_key: bool
) -> None:
    root = (await find_own(client))["id"]
    maker, made = await make(client)
    async with maker:
        session, number = await sign_in(workbench, maker, with_key=with_key)
        async with session:
            status, _ = await session.ask("POST", f"/keys/{root}/rotate")
            assert status == (403 if with_key else 201)
            rotated = await session.post(f"/keys/{made['id']}/rotate", {"overlap": 0})
            assert rotated["maker_id"] == root or not with_key
            # A rotation hands the session over.
            assert await works(session)
            maker_id = (await client.get(f"/keys/{number}"))["maker_id"]
            assert maker_id == (rotated["id"] if with_key else None)


async def test_a_session_is_neither_rotated_nor_renamed(
    workbench: Workbench, client: ApiClient
) -> None:
    session, number = await sign_in(workbench, client)
    async with session:
        requests: list[tuple[str, str, JsonValue]] = [
            ("POST", f"/keys/{number}/rotate", None),
            ("PATCH", f"/keys/{number}", {"name": "mine"}),
        ]
        for method, path, body in requests:
            status, problem = await session.ask(method, path, body)
            assert status == 409
            assert "is a session" in str(problem["detail"])
        assert await works(session)


async def test_lists_tell_sessions_apart_and_the_report_leaves_them_out(
    workbench: Workbench, client: ApiClient
) -> None:
    root = (await find_own(client))["id"]
    session, number = await sign_in(workbench, client)
    async with session:
        await session.get("/notes")
    found = {
        words: [row["id"] for row in rows_of(await client.get(f"/keys{words}"))]
        for words in ("", "?is_session=true", "?is_session=false", "/report")
    }
    assert found == {
        "": [number, root],
        "?is_session=true": [number],
        "?is_session=false": [root],
        "/report": [root],
    }


async def test_signing_in_is_an_event(workbench: Workbench, client: ApiClient) -> None:
    root = (await find_own(client))["id"]
    for with_key in (True, False):
        _, number = await sign_in(workbench, client, with_key=with_key)
        (event, *_) = rows_of(await client.get("/events?event_type=key_created"))
        payload = payload_of(event)
        assert payload["key_id"] == number
        assert payload["is_session"] is True
        assert payload["by_key_id"] == (root if with_key else None)
        assert payload["address"] == "192.0.2.7"


async def test_a_session_gets_no_warning(
    workbench: Workbench, client: ApiClient, clock: ManualClock
) -> None:
    await sign_in(workbench, client)
    await make(client, expires_at=(clock.now() + HOURS).isoformat())
    await workbench.keys.warn_of_expiry(7)
    assert len(rows_of(await client.get("/events?event_type=key_expiring"))) == 1


@pytest.mark.parametrize("sections", [{"limits": {"keys": 2}}])
async def test_sessions_count_for_no_quota_of_keys(
    workbench: Workbench, client: ApiClient
) -> None:
    for _ in range(3):
        await sign_in(workbench, client)
    assert (await client.ask("POST", "/keys/create", {"name": "second"}))[0] == 201
    assert (await client.ask("POST", "/keys/create", {"name": "third"}))[0] == 409


async def test_a_hundred_sessions_are_the_most_and_the_idle_one_ends(
    workbench: Workbench, client: ApiClient, open_client: MakeClient, clock: ManualClock
) -> None:
    eve = await open_client("eve")
    of_eve, _ = await sign_in(workbench, eve)
    sessions = []
    for _ in range(100):
        sessions.append((await sign_in(workbench, client))[0])
        clock.advance(seconds=1)
    first, second, third, *_ = sessions
    async with first, second, third, of_eve:
        assert await works(first)
        last, _ = await sign_in(workbench, client)
        async with last:
            assert [await works(each) for each in (first, third, last, of_eve)] == [True] * 4
            assert not await works(second)


async def test_ended_sessions_are_deleted_unless_something_names_them(
    workbench: Workbench, client: ApiClient, clock: ManualClock
) -> None:
    named, named_number = await sign_in(workbench, client)
    idle, _ = await sign_in(workbench, client)
    _, ended = await sign_in(workbench, client)
    async with named, idle:
        await named.post("/missions", {"goal": "Tea"})
        await idle.get("/notes")
        await workbench.keys.save_usage()
    await workbench.keys.end_session(ended)
    _, live = await sign_in(workbench, client, until=clock.now() + timedelta(days=400))
    await make(client, expires_at=(clock.now() + HOURS).isoformat())

    async def delete_old() -> None:
        found = await workbench.store.read(
            find_old_sessions, clock.now() - timedelta(days=30), 500
        )
        await workbench.store.write(delete_sessions, found)

    clock.advance(days=30, seconds=1)
    before = rows_of(await client.get("/keys"))
    await delete_old()
    assert len(rows_of(await client.get("/keys"))) == len(before) - 1
    clock.advance(days=1)
    await delete_old()
    left = rows_of(await client.get("/keys?is_session=true"))
    assert [row["id"] for row in left] == [live, named_number]
    assert len(rows_of(await client.get("/keys?is_session=false"))) == 2


async def test_a_session_begins_only_for_a_user_and_a_key_that_may(
    workbench: Workbench, client: ApiClient, open_client: MakeClient, clock: ManualClock
) -> None:
    eve = await open_client("eve")
    of_ada, of_eve = await find_own(client), await find_own(eve)
    _, session = await sign_in(workbench, client)
    later = clock.now() + HOURS

    async def begin(user: JsonValue, key: JsonValue, until: datetime = later) -> None:
        assert isinstance(user, int)
        assert isinstance(key, int | None)
        await workbench.keys.begin_session(
            user, "x", maker_key_id=key, address="127.0.0.1", until=until
        )

    with pytest.raises(NotFound):
        await begin(of_ada["user_id"], of_eve["id"])
    with pytest.raises(NotFound):
        await begin(99, None)
    with pytest.raises(Forbidden, match="a session cannot begin"):
        await begin(of_ada["user_id"], session)
    with pytest.raises(InvalidInput):
        await begin(of_ada["user_id"], None, clock.now())
    await client.post(f"/users/{of_eve['user_id']}/disable")
    for key in (of_eve["id"], None):
        with pytest.raises(Forbidden, match="disabled"):
            await begin(of_eve["user_id"], key)
    for number in (of_ada["id"], 99):
        assert isinstance(number, int)
        with pytest.raises(NotFound, match=r"session|key"):
            await workbench.keys.extend_session(number, later)
        with pytest.raises(NotFound, match=r"session|key"):
            await workbench.keys.end_session(number)
    assert await works(client)


def _write_page(http: web.Request, problem: ProblemDetails) -> web.Response:
    if "broken" in http.query:
        raise ValueError("a template")
    text = f"<p>{http.path}: {problem.status}</p>"
    return web.Response(
        status=problem.status, text=text, content_type="text/html", headers=problem.headers
    )


def _make_pages() -> ModuleType:
    dialect = Dialect(_write_page, read_key=lambda http: http.cookies.get("session"))
    api = Api("pages", root="", dialect=dialect)

    @api.get("/pages/whoami", described=False, media_type="text/html")
    async def whoami(request: Request, broken: str = "") -> web.Response:
        """Say the key."""
        assert request.principal is not None
        text = f"{request.key_id} {request.principal.is_session} {broken}"
        return web.Response(text=text, content_type="text/html")

    @api.get("/pages/slow", described=False, media_type="text/html")
    async def be_slow(request: Request, end: bool = False) -> web.Response:
        """Answer slowly, meanwhile the session may end."""
        if end:
            await request.workbench.keys.end_session(request.key_id)
        await request.check_key()
        return web.Response(text="done", content_type="text/html")

    module = ModuleType("pages_plugin")
    module.register_routes = hookimpl(specname="register_routes")(lambda: api)  # type: ignore[attr-defined]  # a module made here
    return module


@pytest.fixture
def plugins() -> dict[str, ModuleType]:
    return {"pages": _make_pages()}


async def test_pages_take_the_session_from_a_cookie_and_write_their_own_errors(
    workbench: Workbench, client: ApiClient, application: Application
) -> None:
    session, number = await sign_in(workbench, client)
    plain = session.headers["X-API-Key"]
    url = f"{client.url}/pages/whoami"
    async with aiohttp.ClientSession() as browser:  # noqa: TID251  # our own server

        async def visit(query: str = "", **headers: str) -> tuple[int, str, str]:
            async with browser.get(url + query, headers=headers) as answer:
                scheme = answer.headers.get("WWW-Authenticate", "").partition(" ")[0]
                return answer.status, await answer.text(), scheme

        cookie = {"Cookie": f"session={plain}"}
        assert await visit(**cookie) == (200, f"{number} True ", "")
        assert (await visit(**{"X-API-Key": plain}))[0] == 200
        assert (await visit(**client.headers))[1].endswith("False ")
        assert await visit() == (401, "<p>/pages/whoami: 401</p>", "ApiKey")
        assert (await visit(Authorization=f"Bearer {plain}"))[0] == 401
        assert (await visit("?other=1", **cookie))[:2] == (422, "<p>/pages/whoami: 422</p>")
        # A template that fails is an error of the server, with an answer.
        status, text, _ = await visit("?broken=1")
        assert (status, "request_id" in text) == (500, True)
        await workbench.keys.end_session(number)
        assert (await visit(**cookie))[0] == 401
        async with browser.get(f"{client.url}/api/v1/notes", headers=cookie) as answer:
            assert answer.status == 401
    other, _ = await sign_in(workbench, client)
    slow = f"{client.url}/pages/slow"
    async with aiohttp.ClientSession() as browser:  # noqa: TID251  # our own server
        for plain in (other.headers["X-API-Key"], client.headers["X-API-Key"]):
            cookie = {"Cookie": f"session={plain}"}
            async with browser.get(slow, headers=cookie) as answer:
                assert answer.status == 200
        cookie = {"Cookie": f"session={other.headers['X-API-Key']}"}
        async with browser.get(f"{slow}?end=true", headers=cookie) as answer:
            assert answer.status == 401
    assert b"whoami" not in application.openapi
    assert b"PagesUnauthorized" not in application.openapi


@pytest.mark.parametrize("scope", [Scope.CHAT, Scope.WEBHOOK])
async def test_a_session_of_a_smaller_key_makes_no_keys(
    workbench: Workbench, open_client: MakeClient, scope: Scope
) -> None:
    client = await open_client("ada", scope)
    session, _ = await sign_in(workbench, client)
    async with session:
        assert (await session.ask("POST", "/keys/create", {"name": "x"}))[0] == 403
