"""Administrators read the rows of other users: never unseen, and never more than read."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from pydantic import JsonValue

from biont import Scope
from biont.testing import ApiClient, MakeClient, ManualClock, payload_of, rows_of


async def find_number(client: ApiClient) -> str:
    return str((await client.get("/me"))["id"])


async def list_looks(client: ApiClient) -> list[dict[str, Any]]:
    """Return the payloads of the looks at a user, the newest first."""
    rows = rows_of(await client.get("/events?event_type=user_viewed"))
    return [payload_of(row) for row in rows]


async def look(client: ApiClient, path: str, user: str) -> Any:  # noqa: ANN401  # JSON
    answer = await client.request("GET", path, headers={"X-User-ID": user})
    assert answer.status == 200, answer.document
    return answer.document


async def test_an_administrator_sees_the_rows_of_a_user(
    client: ApiClient, open_client: MakeClient
) -> None:
    bob = await open_client("bob")
    number = await find_number(bob)
    note = await bob.post("/notes", {"title": "of bob"})
    await client.post("/notes", {"title": "of ada"})
    reader = await open_client("ada", Scope.READ)
    for admin in (client, reader):
        assert [row["title"] for row in (await look(admin, "/notes", number))["data"]] == [
            "of bob"
        ]
        assert (await look(admin, f"/notes/{note['id']}", number))["title"] == "of bob"
        assert [row["title"] for row in rows_of(await admin.get("/notes"))] == ["of ada"]
    me, own = await look(client, "/me", number), await client.get("/me")
    assert (me["name"], me["key"]["id"]) == ("bob", own["key"]["id"])  # type: ignore[index,call-overload]  # JSON


async def test_a_look_is_one_event_for_ten_minutes_of_a_key(
    client: ApiClient, open_client: MakeClient, clock: ManualClock
) -> None:
    bob = await open_client("bob")
    number = await find_number(bob)
    for path in ("/notes", "/schedule", "/notes"):
        await look(client, path, number)
    (seen,) = await list_looks(bob)
    key = (await client.get("/me"))["key"]
    assert isinstance(key, dict)
    assert (seen["viewer"], seen["by_key_id"], seen["path"]) == ("ada", key["id"], "/api/v1/notes")
    assert (str(seen["user_id"]), seen["address"]) == (number, "127.0.0.1")
    await look(await open_client("ada", Scope.READ), "/me", number)
    assert len(await list_looks(bob)) == 2
    clock.advance(minutes=10)
    await look(client, "/notes", number)
    assert len(await list_looks(bob)) == 3
    # Own rows are no look.
    await look(client, "/notes", await find_number(client))
    assert await list_looks(client) == []


async def test_a_look_changes_nothing(client: ApiClient, open_client: MakeClient) -> None:
    bob = await open_client("bob")
    number = await find_number(bob)
    note = await bob.post("/notes", {"title": "of bob"})
    acts: list[tuple[str, str, JsonValue]] = [
        ("POST", "/notes", {"title": "x"}),
        ("PATCH", f"/notes/{note['id']}", {"title": "x"}),
        ("DELETE", f"/notes/{note['id']}", None),
        ("POST", "/keys/create", {"name": "x"}),
        ("PATCH", f"/users/{number}", {"role": "admin"}),
    ]
    for method, path, body in acts:
        answer = await client.request(method, path, body, headers={"X-User-ID": number})
        assert answer.status == 403
        assert "GET and HEAD" in str(answer.document)
    assert (await bob.get(f"/notes/{note['id']}"))["title"] == "of bob"
    assert await list_looks(bob) == []


async def test_only_whole_keys_of_administrators_look(
    client: ApiClient, open_client: MakeClient
) -> None:
    bob, eve = await open_client("bob"), await open_client("eve")
    number = await find_number(bob)
    narrow = await client.post("/keys/create", {"name": "n", "events": ["custom_*"]})
    chat = await open_client("ada", Scope.CHAT)
    async with ApiClient(client.url, str(narrow["key"])) as narrowed:
        for each in (eve, bob, narrowed, chat):
            answer = await each.request("GET", "/me", headers={"X-User-ID": number})
            assert answer.status == 403
    assert await list_looks(bob) == []


@pytest.mark.parametrize("user", ["999", "0", "-1", "bob", "1, 2", "", "9" * 40, "\uff12"])
async def test_a_user_who_is_none_is_refused(client: ApiClient, user: str) -> None:
    answer = await client.request("GET", "/notes", headers={"X-User-ID": user})
    assert answer.status == 422
    assert "'parameter': 'X-User-ID'" in str(answer.document["errors"])


async def test_secrets_are_not_looked_at(client: ApiClient, open_client: MakeClient) -> None:
    bob = await open_client("bob")
    listener = await bob.post("/webhooks/listeners", {"name": "his"})
    path = f"/webhooks/listeners/{listener['id']}/messages"
    answer = await client.request("GET", path, headers={"X-User-ID": await find_number(bob)})
    assert answer.status == 403


async def test_answers_vary_by_the_user(client: ApiClient, open_client: MakeClient) -> None:
    bob = await open_client("bob")
    note = await bob.post("/notes", {"title": "of bob"})
    headers = {"X-User-ID": await find_number(bob)}
    path = f"/notes/{note['id']}"
    answer = await client.request("GET", path, headers=headers)
    assert "X-User-ID" in answer.headers["Vary"]
    known = {"If-None-Match": answer.headers["ETag"]}
    again = await client.request("GET", path, headers=headers | known)
    assert (again.status, "X-User-ID" in again.headers["Vary"]) == (304, True)
    assert (await client.request("GET", path, headers=known)).status == 404


async def test_a_stream_of_another_user_ends_with_the_role(
    client: ApiClient, open_client: MakeClient
) -> None:
    bob, grace = await open_client("bob"), await open_client("grace")
    grace_path = f"/users/{await find_number(grace)}"
    await client.request("PATCH", grace_path, {"role": "admin"})
    headers = {**grace.headers, "X-User-ID": await find_number(bob)}
    async with (
        aiohttp.ClientSession(headers=headers) as session,  # noqa: TID251  # reads a stream
        session.get(f"{client.url}/api/v1/events/stream") as stream,
    ):
        await bob.post("/events", {"event_type": "custom_a"})
        async for line in stream.content:
            if b"custom_a" in line:
                break
        await client.request("PATCH", grace_path, {"role": "member"})
        await bob.post("/events", {"event_type": "custom_b"})
        async with asyncio.timeout(60):
            assert b"custom_b" not in await stream.content.read()
