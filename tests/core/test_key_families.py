from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from conftest import MakeKey, StartServer
from pydantic import JsonValue
from support.process import run_biont

from biont import Scope, Workbench
from biont.testing import ApiClient, MakeClient, ManualClock, payload_of, rows_of

Fields = dict[str, JsonValue]


def in_future(clock: ManualClock, **delta: float) -> str:
    return (clock.now() + timedelta(**delta)).isoformat()


async def make(client: ApiClient, **fields: JsonValue) -> tuple[ApiClient, Fields]:
    """Return a client with a new key that the key of `client` makes, and the key."""
    created = await client.post("/keys/create", {"name": "child", **fields})
    return ApiClient(client.url, str(created["key"])), created


async def rotate(client: ApiClient, key_id: JsonValue, **fields: JsonValue) -> Fields:
    return await client.post(f"/keys/{key_id}/rotate", fields)


async def find_own_id(client: ApiClient) -> JsonValue:
    key = (await client.get("/me"))["key"]
    assert isinstance(key, dict)
    return key["id"]


async def list_acts(client: ApiClient, event_type: str) -> list[Fields]:
    events = rows_of(await client.get(f"/events?event_type={event_type}"))
    return [payload_of(event) for event in events]


async def works(client: ApiClient) -> bool:
    return (await client.ask("GET", "/me"))[0] == 200


async def test_a_key_ends_no_later_than_its_maker(client: ApiClient, clock: ManualClock) -> None:
    end = in_future(clock, seconds=20)
    maker, _ = await make(client, expires_at=end)
    async with maker:
        child, created = await make(maker)
        assert created["expires_at"] == end.replace("+00:00", "Z")
        async with child:
            later: Fields = {"name": "x", "expires_at": in_future(clock, days=1)}
            status, problem = await maker.ask("POST", "/keys/create", later)
            assert status == 422
            assert "#/expires_at" in str(problem["errors"])
            await make(maker, expires_at=in_future(clock, seconds=5))
            clock.advance(seconds=20)
            assert not await works(child)


async def test_a_key_is_revoked_with_its_maker(client: ApiClient) -> None:
    maker, made = await make(client)
    async with maker:
        child, _ = await make(maker, scope="chat")
        grandchild_maker, _ = await make(maker)
        async with child, grandchild_maker:
            grandchild, last = await make(grandchild_maker, name="last")
            async with grandchild:
                assert await works(grandchild)
                assert (await client.ask("DELETE", f"/keys/{made['id']}"))[0] == 204
                for each in (maker, child, grandchild_maker, grandchild):
                    assert not await works(each)
    assert await works(client)
    revoked = await list_acts(client, "key_revoked")
    assert {each["because_of"] for each in revoked} == {None, made["id"]}
    assert len(revoked) == 4
    assert (await client.get(f"/keys/{last['id']}"))["revoked_at"] is not None


async def test_a_rotation_hands_name_rights_and_children_over(
    client: ApiClient, clock: ManualClock
) -> None:
    end = in_future(clock, days=30)
    old, first = await make(client, name="Till", events=["custom_*"], expires_at=end)
    async with old:
        child, _ = await make(old)
        rotated = await rotate(old, first["id"], overlap="2h")
        kept = ("name", "scope", "events", "models", "maker_id", "expires_at")
        assert {name: rotated[name] for name in kept} == {name: first[name] for name in kept}
        assert rotated["key"] != first["key"]
        new = ApiClient(client.url, str(rotated["key"]))
        async with new, child:
            assert await works(old)
            clock.advance(minutes=119)
            assert await works(old)
            clock.advance(minutes=1)
            assert not await works(old)
            assert await works(new)
            assert await works(child)
            before = await client.get(f"/keys/{first['id']}")
            assert before["successor_id"] == rotated["id"]
            assert (await client.ask("DELETE", f"/keys/{rotated['id']}"))[0] == 204
            assert not await works(new)
            assert not await works(child)


async def test_an_old_key_ends_at_once_without_overlap(client: ApiClient) -> None:
    old, first = await make(client)
    async with old:
        await rotate(client, first["id"], overlap=0)
        assert not await works(old)
        status, problem = await client.ask("POST", f"/keys/{first['id']}/rotate")
        assert status == 409
        assert "was rotated" in str(problem["detail"])


async def test_a_rotation_makes_no_key_valid_for_longer(
    client: ApiClient, clock: ManualClock
) -> None:
    end = in_future(clock, days=1)
    brief, made = await make(client, expires_at=end)
    async with brief:
        status, problem = await brief.ask(
            "POST", f"/keys/{made['id']}/rotate", {"expires_at": in_future(clock, days=2)}
        )
        assert status == 422
        assert "#/expires_at" in str(problem["errors"])
        rotated = await rotate(brief, made["id"], overlap="7d")
        assert rotated["expires_at"] == made["expires_at"]
        clock.advance(days=1)
        assert not await works(brief)
    # A key without an end may grant another day.
    _, made = await make(client, expires_at=in_future(clock, days=1))
    later = await rotate(client, made["id"], expires_at=in_future(clock, days=9))
    assert datetime.fromisoformat(str(later["expires_at"])) == clock.now() + timedelta(days=9)


async def test_a_key_gets_no_stronger_key_by_a_rotation(
    client: ApiClient, clock: ManualClock
) -> None:
    own = await find_own_id(client)
    child, _ = await make(client)
    narrow, _ = await make(client, events=["custom_*"])
    brief, _ = await make(client, expires_at=in_future(clock, seconds=20))
    async with child, narrow, brief:
        for each in (child, narrow, brief):
            assert (await each.ask("POST", f"/keys/{own}/rotate"))[0] == 403
    assert await works(client)


async def test_children_are_shortened_with_their_maker(
    client: ApiClient, clock: ManualClock
) -> None:
    maker, made = await make(client)
    async with maker:
        child, created = await make(maker)
        async with child:
            await rotate(client, made["id"], expires_at=in_future(clock, days=2))
            assert (await client.get(f"/keys/{created['id']}"))["expires_at"] is not None
            clock.advance(days=2)
            assert not await works(child)


async def test_a_key_of_another_user_is_neither_rotated_nor_renamed(
    client: ApiClient, open_client: MakeClient
) -> None:
    eve = await open_client("eve")
    _, made = await make(client)
    assert (await eve.ask("POST", f"/keys/{made['id']}/rotate"))[0] == 404
    assert (await eve.ask("PATCH", f"/keys/{made['id']}", {"name": "mine"}))[0] == 404
    assert await list_acts(eve, "key_*") == []


async def test_each_act_is_an_event_with_the_acting_key_and_its_address(
    client: ApiClient,
) -> None:
    own = await find_own_id(client)
    _, made = await make(client, name="Till", scope="read")
    number = made["id"]
    assert (await client.ask("PATCH", f"/keys/{number}", {"name": "Shop"}))[0] == 200
    assert (await client.ask("PATCH", f"/keys/{number}", {"name": "Shop"}))[0] == 200
    rotated = await rotate(client, number)
    assert (await client.ask("DELETE", f"/keys/{number}"))[0] == 204
    assert (await client.ask("DELETE", f"/keys/{number}"))[0] == 204
    events = rows_of(await client.get("/events?event_type=key_*"))
    assert [event["event_type"] for event in reversed(events)] == [
        "key_created",
        "key_renamed",
        "key_rotated",
        "key_created",
        "key_revoked",
    ]
    for event in events:
        payload = payload_of(event)
        assert payload["by_key_id"] == own
        assert payload["address"] == "127.0.0.1"
        assert str(made["key"]) not in str(payload)
        assert str(rotated["key"]) not in str(payload)
    (renamed,) = await list_acts(client, "key_renamed")
    assert (renamed["previous_name"], renamed["name"]) == ("Till", "Shop")


async def test_a_refused_act_is_no_event(client: ApiClient) -> None:
    past: JsonValue = {"name": "x", "expires_at": "2020-01-01T00:00:00Z"}
    assert (await client.ask("POST", "/keys/create", past))[0] == 422
    assert await list_acts(client, "key_*") == []


async def test_a_key_is_warned_of_once_before_its_end(
    workbench: Workbench, client: ApiClient, clock: ManualClock
) -> None:
    _, soon = await make(client, name="soon", expires_at=in_future(clock, days=8))
    _, rotated = await make(client, name="rotated", expires_at=in_future(clock, days=8))
    _, revoked = await make(client, name="revoked", expires_at=in_future(clock, days=8))
    await make(client, name="late", expires_at=in_future(clock, days=80))
    await rotate(client, rotated["id"], expires_at=in_future(clock, days=90))
    await client.ask("DELETE", f"/keys/{revoked['id']}")
    await workbench.keys.warn_of_expiry(7)
    assert await list_acts(client, "key_expiring") == []
    clock.advance(days=1)
    for _ in range(2):
        await workbench.keys.warn_of_expiry(7)
    (warning,) = await list_acts(client, "key_expiring")
    assert warning["key_id"] == soon["id"]
    assert datetime.fromisoformat(str(warning["expires_at"])) == clock.now() + timedelta(days=7)


@pytest.mark.parametrize("overlap", ["", "1", "31d", "1w", -1, 2**40, "24 h", None])
async def test_an_overlap_is_a_short_duration(client: ApiClient, overlap: JsonValue) -> None:
    _, made = await make(client)
    status, problem = await client.ask("POST", f"/keys/{made['id']}/rotate", {"overlap": overlap})
    assert status == 422
    assert "#/overlap" in str(problem["errors"])


async def test_the_command_line_acts_on_keys_of_a_running_workbench(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server(keys={"expiry_check_minutes": 0.01})
    key = await make_key()
    async with ApiClient(server.url, key) as client:
        own = str(await find_own_id(client))
        for words in (("rename", own, "Root"), ("rotate", own, "--overlap", "1h")):
            code, out, error = await run_biont("keys", *words, config=server.config)
            assert code == 0, error
        new = out.strip()
        async with ApiClient(server.url, new) as successor:
            assert await works(successor)
            # The old key ends within seven days: it is rotated, so nobody is warned.
            code, _, error = await run_biont("keys", "revoke", own, config=server.config)
            assert code == 0, error
            acts = await successor.get_until(
                "/events?event_type=key_*",
                lambda page: any(row["event_type"] == "key_revoked" for row in rows_of(page)),
            )
            assert not await works(client)
            assert {payload_of(row)["by_key_id"] for row in rows_of(acts)} == {None}
            for wrong in (("rotate", own), ("rotate", "99"), ("rotate", own, "--overlap", "1w")):
                code, _, error = await run_biont("keys", *wrong, config=server.config)
                assert code != 0
                assert error


async def test_scopes_cannot_make_keys(open_client: MakeClient) -> None:
    for scope in (Scope.READ, Scope.CHAT, Scope.WEBHOOK):
        client = await open_client("ada", scope)
        own = await find_own_id(client)
        assert (await client.ask("POST", "/keys/create", {"name": "x"}))[0] == 403
        assert (await client.ask("POST", f"/keys/{own}/rotate"))[0] == 403
