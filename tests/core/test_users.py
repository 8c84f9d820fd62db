from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from types import ModuleType

import aiohttp
import orjson
import pytest
from conftest import MakeKey, Restart, StartServer
from pydantic import JsonValue
from support.process import run_biont

from biont import Finish, JobKind, Run, Schema, Scope, Workbench, hookimpl
from biont.settings import load_settings
from biont.testing import (
    ApiClient,
    MakeClient,
    ManualClock,
    WebhookReceiver,
    payload_of,
    rows_of,
)

Fields = dict[str, JsonValue]


class Nothing(Schema):
    """No parameters."""


@pytest.fixture
def steps() -> list[asyncio.Event]:
    """The runs of the job `steps`, each set when it is cancelled."""
    return []


@pytest.fixture
def plugins(steps: list[asyncio.Event]) -> dict[str, ModuleType]:
    async def wait(_run: Run, _workbench: Workbench) -> Finish:
        cancelled = asyncio.Event()
        steps.append(cancelled)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    @hookimpl
    def register_jobs() -> list[JobKind]:
        return [JobKind("steps", Nothing, wait)]

    module = ModuleType("stepping")
    module.register_jobs = register_jobs  # type: ignore[attr-defined]  # as a module has it
    return {"stepping": module}


async def find_number(client: ApiClient) -> JsonValue:
    return (await client.get("/me"))["id"]


async def read_export(client: ApiClient, number: JsonValue) -> list[dict[str, Fields]]:
    async with (
        aiohttp.ClientSession(headers=client.headers) as session,  # noqa: TID251
        session.get(f"{client.url}/api/v1/users/{number}/export") as answer,
    ):
        assert answer.status == 200
        return [orjson.loads(line) for line in (await answer.read()).splitlines()]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users"),
        ("POST", "/users"),
        ("GET", "/users/1"),
        ("PATCH", "/users/1"),
        ("POST", "/users/1/disable"),
        ("POST", "/users/1/enable"),
        ("GET", "/users/1/export"),
        ("DELETE", "/users/1?confirm=ada"),
    ],
)
async def test_users_are_for_administrators(
    client: ApiClient, open_client: MakeClient, method: str, path: str
) -> None:
    member = await open_client("eve")
    body: JsonValue = {"name": "x"} if method in ("POST", "PATCH") else None
    narrow = await client.post("/keys/create", {"name": "narrow", "events": ["custom_*"]})
    async with ApiClient(client.url, str(narrow["key"])) as narrowed:
        for each in (member, await open_client("eve", Scope.READ), narrowed):
            assert (await each.ask(method, path, body))[0] == 403
    # Who may see everything sees the users; an export is more than they show.
    reader = await open_client("ada", Scope.READ)
    status = 200 if path in ("/users", "/users/1") and method == "GET" else 403
    assert (await reader.ask(method, path, body))[0] == status
    assert (await client.get("/users/1"))["disabled_at"] is None


async def test_an_administrator_makes_a_user_with_a_first_key(client: ApiClient) -> None:
    body: Fields = {"name": "grace", "key": {"name": "first", "scope": "read"}}
    created = await client.post("/users", body)
    assert (created["role"], created["disabled_at"]) == ("member", None)
    async with ApiClient(client.url, str(created["key"])) as grace:
        me = await grace.get("/me")
        assert me["name"] == "grace"
        events = rows_of(await grace.get("/events"))
        assert {event["event_type"] for event in events} == {"user_created", "key_created"}
    assert (await client.ask("POST", "/users", body))[0] == 409
    without = await client.post("/users", {"name": "lin", "role": "admin"})
    assert (without["key"], without["role"]) == (None, "admin")
    names = [row["name"] for row in rows_of(await client.get("/users?sort=created_at"))]
    assert names == ["ada", "grace", "lin"]


async def test_a_first_key_ends_no_later_than_the_key_that_makes_it(
    client: ApiClient, clock: ManualClock
) -> None:
    end = clock.now().replace(minute=59).isoformat()
    brief = await client.post("/keys/create", {"name": "brief", "expires_at": end})
    async with ApiClient(client.url, str(brief["key"])) as admin:
        await admin.post("/users", {"name": "grace", "key": {"name": "first"}})
        later: Fields = {"name": "first", "expires_at": "2099-01-01T00:00:00Z"}
        assert (await admin.ask("POST", "/users", {"name": "lin", "key": later}))[0] == 422
    assert [row["name"] for row in rows_of(await client.get("/users?sort=created_at"))] == [
        "ada",
        "grace",
    ]


async def test_the_last_administrator_stays(client: ApiClient, open_client: MakeClient) -> None:
    eve = await open_client("eve")
    ada, other = await find_number(client), await find_number(eve)
    demotion: JsonValue = {"role": "member"}
    for method, path, body in (
        ("PATCH", f"/users/{ada}", demotion),
        ("POST", f"/users/{ada}/disable", None),
        ("DELETE", f"/users/{ada}?confirm=ada", None),
    ):
        status, problem = await client.ask(method, path, body)
        assert status == 409, problem
    assert (await client.ask("PATCH", f"/users/{other}", {"role": "admin"}))[0] == 200
    assert (await eve.get("/users"))["data"]
    assert (await eve.ask("PATCH", f"/users/{ada}", {"role": "member"}))[0] == 200
    assert (await client.ask("GET", "/users"))[0] == 403
    changed = rows_of(await client.get("/events?event_type=user_changed"))
    assert payload_of(changed[0])["role"] == "member"


async def test_a_disabled_user_is_refused_until_enabled_and_loses_nothing(
    client: ApiClient, open_client: MakeClient
) -> None:
    eve = await open_client("eve")
    number = await find_number(eve)
    note = await eve.post("/notes", {"title": "Tea"})
    feed = str((await eve.post("/schedule/feed"))["path"])
    for _ in range(2):
        disabled = await client.post(f"/users/{number}/disable")
        assert disabled["disabled_at"] is not None
    for path in ("/notes", "/me", "/events/stream"):
        status, problem = await eve.ask("GET", path)
        assert status == 403
        assert "'eve'" in str(problem["detail"])
        assert "disabled" in str(problem["detail"])
    async with aiohttp.ClientSession(client.url) as session:  # noqa: TID251
        assert (await session.get(feed)).status == 404
    assert (await client.ask("GET", "/me"))[0] == 200
    await client.post(f"/users/{number}/enable")
    assert (await eve.get(f"/notes/{note['id']}"))["title"] == "Tea"
    acts = [row["event_type"] for row in rows_of(await eve.get("/events?event_type=user_*"))]
    assert acts == ["user_enabled", "user_disabled"]


async def test_the_stream_of_a_disabled_user_ends(
    client: ApiClient, open_client: MakeClient
) -> None:
    eve = await open_client("eve")
    number = await find_number(eve)
    async with (
        aiohttp.ClientSession(headers=eve.headers) as session,  # noqa: TID251
        session.get(f"{eve.url}/api/v1/events/stream") as stream,
    ):
        assert (await stream.content.readline()).startswith(b":")
        await client.post(f"/users/{number}/disable")
        assert b"user_disabled" not in await stream.content.read()


async def test_deliveries_of_a_disabled_user_wait_also_across_a_restart(
    restart: Restart, receiver: WebhookReceiver
) -> None:
    async with restart() as ada:
        created = await ada.post("/users", {"name": "eve", "key": {"name": "first"}})
        number, key = created["id"], str(created["key"])
        async with ApiClient(ada.url, key) as eve:
            hook: Fields = {"url": receiver.url, "event_types": ["*"]}
            await eve.post("/webhooks/outgoing/register", hook)
            await eve.post("/events", {"event_type": "custom_a"})
            await receiver.wait_for(1)
            await ada.post(f"/users/{number}/disable")
    async with restart() as ada:
        for _ in range(3):
            await ada.get("/health")
        assert len(receiver.requests) == 1
        await ada.post(f"/users/{number}/enable")
        await receiver.wait_for(3)
    types = {str(request.event["event_type"]) for request in receiver.requests}
    assert types == {"custom_a", "user_disabled", "user_enabled"}


async def test_schedules_of_a_disabled_user_are_not_due_and_catch_up_later(
    workbench: Workbench, client: ApiClient, open_client: MakeClient, clock: ManualClock
) -> None:
    eve = await open_client("eve")
    number = await find_number(eve)
    fields: Fields = {"every": 3600, "job": "reminder", "parameters": {"text": "Tea"}}
    schedule = await eve.post("/schedule", fields)
    await client.post("/schedule", fields)
    await client.post(f"/users/{number}/disable")
    clock.advance(hours=3, minutes=1)
    assert await workbench.scheduler.sweep() == 1
    await client.post(f"/users/{number}/enable")
    await workbench.scheduler.sweep()
    runs = rows_of(await eve.get(f"/schedule/{schedule['id']}/runs"))
    assert [run["status"] for run in runs][1:] == ["missed", "missed"]
    await eve.get_until(
        f"/schedule/{schedule['id']}/runs",
        lambda page: rows_of(page)[0]["status"] == "succeeded",
    )


async def test_an_active_run_of_a_disabled_user_is_interrupted_and_begins_again(
    client: ApiClient, open_client: MakeClient, steps: list[asyncio.Event]
) -> None:
    eve = await open_client("eve")
    number = await find_number(eve)
    schedule = await eve.post("/schedule", {"every": 3600, "job": "steps", "parameters": {}})
    path = f"/schedule/{schedule['id']}/runs"
    await eve.post(f"/schedule/{schedule['id']}/run-now")
    await eve.get_until(path, lambda _: len(steps) == 1)
    await client.post(f"/users/{number}/disable")
    async with asyncio.timeout(30):
        await steps[0].wait()
    await client.post(f"/users/{number}/enable")
    await eve.get_until(path, lambda _: len(steps) == 2)
    (run,) = rows_of(await eve.get(path))
    assert run["attempts"] == 1
    await eve.post(f"{path}/{run['id']}/cancel")


async def test_an_export_has_all_rows_of_the_user_and_no_secrets(
    client: ApiClient, open_client: MakeClient
) -> None:
    eve = await open_client("eve")
    await client.post("/notes", {"title": "of ada"})
    note = await eve.post("/notes", {"title": "of eve"})
    await eve.ask("PATCH", f"/notes/{note['id']}", {"title": "of eve too"})
    hook = await eve.post("/webhooks/outgoing/register", {"url": "https://example.com/x"})
    await eve.post(f"/webhooks/outgoing/{hook['id']}/rotate-secret")
    await eve.post("/events", {"event_type": "custom_a"})
    rows = await read_export(client, await find_number(eve))
    tables = {str(row["table"]) for row in rows}
    assert tables >= {
        "users",
        "api_keys",
        "notes",
        "note_versions",
        "webhooks",
        "webhook_deliveries",
        "event_logs",
    }
    text = str(rows)
    assert "of eve too" in text
    assert "of ada" not in text
    assert "gAAAA" not in text
    assert str(hook["secret"]) not in text
    assert (await client.ask("GET", "/users/99/export"))[0] == 404


async def test_a_deleted_user_leaves_no_rows_but_the_event_log(
    client: ApiClient, open_client: MakeClient, receiver: WebhookReceiver
) -> None:
    eve = await open_client("eve")
    number = await find_number(eve)
    ada_note = await client.post("/notes", {"title": "of ada"})
    for _ in range(30):
        await eve.post("/notes", {"title": "of eve"})
    await eve.post("/webhooks/outgoing/register", {"url": receiver.url})
    await eve.post("/events", {"event_type": "custom_a"})
    await receiver.wait_for(1)
    for confirm, status in (("", 422), ("ada", 422)):
        assert (await client.ask("DELETE", f"/users/{number}?confirm={confirm}"))[0] == status
    assert (await client.ask("DELETE", f"/users/{number}"))[0] == 422
    assert (await client.ask("DELETE", f"/users/{number}?confirm=eve"))[0] == 204
    assert (await eve.ask("GET", "/notes"))[0] in (401, 403)
    await client.get_until(
        "/operations?kind=user_delete",
        lambda page: rows_of(page)[0]["status"] == "done",
    )
    assert (await client.ask("GET", f"/users/{number}"))[0] == 404
    assert (await eve.ask("GET", "/notes"))[0] == 401
    (deleted,) = rows_of(await client.get("/events?event_type=user_deleted"))
    assert payload_of(deleted)["name"] == "eve"
    assert (await client.get(f"/notes/{ada_note['id']}"))["title"] == "of ada"
    again = await client.post("/users", {"name": "eve"})
    assert again["id"] != number
    rows = await read_export(client, again["id"])
    assert {str(row["table"]) for row in rows} == {"users", "event_logs"}


OLDER = """
PRAGMA legacy_alter_table = ON;
CREATE TABLE old_keys (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, name TEXT NOT NULL,
    digest TEXT NOT NULL, prefix TEXT NOT NULL, scope TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL, expires_at TIMESTAMPTZ, revoked_at TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ);
INSERT INTO old_keys SELECT id, user_id, name, digest, prefix, scope, created_at, expires_at,
    revoked_at, last_used_at FROM api_keys;
DROP TABLE api_keys;
ALTER TABLE old_keys RENAME TO api_keys;
CREATE TABLE old_users (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL, time_zone TEXT);
INSERT INTO old_users SELECT id, name, created_at, time_zone FROM users;
DROP TABLE users;
ALTER TABLE old_users RENAME TO users;
DROP TABLE key_uses;
DROP INDEX dead_letter_event;
DROP TABLE database_sizes;
ALTER TABLE schedules DROP COLUMN text_origin;
DELETE FROM migrations_core WHERE name >= '0013';
"""
"""Statements that make a database as it was before keys and users had rights of their own."""


async def test_an_upgrade_keeps_keys_and_makes_the_first_user_the_administrator(
    restart: Restart, tmp_path: Path
) -> None:
    async with restart() as ada:
        created = await ada.post("/users", {"name": "eve", "role": "admin", "key": {"name": "k"}})
        number = (await ada.get("/me"))["id"]
    path = load_settings(tmp_path / "config", environ={}).database.path
    with closing(sqlite3.connect(path)) as database:
        database.executescript(OLDER)
    async with restart() as ada, ApiClient(ada.url, str(created["key"])) as eve:
        me = await eve.get("/me")
        assert me["role"] == "member"
        key = me["key"]
        assert isinstance(key, dict)
        kept = ("name", "scope", "events", "models", "maker_id")
        assert [key[name] for name in kept] == ["k", "full", None, None, None]
        assert (await ada.get(f"/users/{number}"))["role"] == "admin"
        await eve.post("/keys/create", {"name": "child"})


async def test_the_command_line_manages_users_of_a_running_workbench(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server()
    ada, eve = await make_key("ada"), await make_key("eve")
    async with ApiClient(server.url, ada) as admin, ApiClient(server.url, eve) as member:

        async def users(*words: str) -> str:
            code, out, error = await run_biont("users", *words, config=server.config)
            assert code == 0, error
            return out

        assert (await admin.ask("GET", "/users"))[0] == 200
        note = await member.post("/notes", {"title": "of eve"})
        await users("role", "eve", "admin")
        while (await member.ask("GET", "/users"))[0] != 200:
            pass
        await users("disable", "eve")
        while (await member.ask("GET", "/me"))[0] != 403:
            pass
        await users("enable", "eve")
        while (await member.ask("GET", "/me"))[0] != 200:
            pass
        assert (await member.get(f"/notes/{note['id']}"))["title"] == "of eve"
        exported = [orjson.loads(line) for line in (await users("export", "eve")).splitlines()]
        assert "notes" in {row["table"] for row in exported}
        await users("delete", "eve", "--confirm", "eve")
        while (await member.ask("GET", "/me"))[0] != 401:
            pass
        assert "eve" not in await users("list")
        assert (await admin.ask("GET", f"/notes/{note['id']}"))[0] == 404
