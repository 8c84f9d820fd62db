"""Limits: rates of keys and addresses, wrong keys, and quotas of users."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import JsonValue

from biont import Scope, Workbench
from biont.http import QUOTAS, Quota
from biont.testing import ApiAnswer, ApiClient, MakeClient, ManualClock

LIMITS: dict[str, JsonValue] = {
    "read": "5/minute",
    "write": "3/minute",
    "chat": "1/hour",
    "public": "4/minute",
    "failed_keys": "2/minute",
    "keys": 3,
}
WRONG = {"X-API-Key": "asb_" + "0" * 64}


@pytest.fixture
def sections() -> dict[str, object]:
    return {
        "limits": LIMITS,
        "server": {"trusted_proxies": ["127.0.0.0/8", "10.1.0.0/16"]},
        "plugins": {
            "webhooks": {"quota": 2},
            "schedules": {"quota": 2},
            "notes": {"storage": 1000},
        },
    }


@pytest.fixture
async def stranger(open_client: MakeClient) -> ApiClient:
    return await open_client(None)


def headers_of(answer: ApiAnswer) -> tuple[str, str]:
    return answer.headers["RateLimit-Policy"], answer.headers["RateLimit"]


async def test_a_user_gets_429_until_the_bucket_fills_again(
    client: ApiClient, clock: ManualClock
) -> None:
    for left in (4, 3, 2, 1, 0):
        answer = await client.request("GET", "/notes")
        assert answer.status == 200
        policy, state = headers_of(answer)
        assert policy == '"read";q=5;w=60'
        assert state.startswith(f'"read";r={left};t=')
    refused = await client.request("GET", "/notes")
    assert refused.status == 429
    assert refused.headers["Retry-After"] == "12"
    assert headers_of(refused) == ('"read";q=5;w=60', '"read";r=0;t=12')
    assert refused.document["violated-policies"] == ["read"]
    assert str(refused.document["type"]).endswith("#quota-exceeded")
    # Each class of routes has a bucket of its own.
    assert (await client.request("POST", "/notes", {"title": "x"})).status == 201
    clock.advance(seconds=11.9)
    assert (await client.request("GET", "/notes")).status == 429
    clock.advance(seconds=0.2)
    assert (await client.request("HEAD", "/notes")).status == 200
    assert (await client.request("GET", "/notes")).status == 429
    clock.advance(seconds=3600)
    assert headers_of(await client.request("GET", "/notes"))[1].startswith('"read";r=4')


async def test_the_bucket_of_one_user_is_no_others(
    client: ApiClient, open_client: MakeClient
) -> None:
    for _ in range(6):
        last = await client.request("GET", "/notes")
    assert last.status == 429
    # Another key of the same user has no bucket of its own, or a key would make keys.
    assert (await (await open_client("ada")).request("GET", "/notes")).status == 429
    assert (await (await open_client("bob")).request("GET", "/notes")).status == 200


async def test_many_requests_at_once_pass_as_many_as_the_bucket_has(client: ApiClient) -> None:
    answers = await asyncio.gather(*(client.request("GET", "/notes") for _ in range(30)))
    assert sorted(answer.status for answer in answers) == [200] * 5 + [429] * 25


async def test_a_clock_that_is_set_back_locks_no_key_out(
    client: ApiClient, clock: ManualClock
) -> None:
    for _ in range(6):
        await client.request("GET", "/notes")
    clock.advance(days=-1)
    assert (await client.request("GET", "/notes")).status == 200


async def test_requests_to_models_have_a_limit_of_their_own(client: ApiClient) -> None:
    first = await client.request("POST", "/chat", {"message": "Hello"})
    assert headers_of(first)[0] == '"chat";q=1;w=3600'
    second = await client.request("POST", "/chat", {"message": "Hello"})
    assert (second.status, second.headers["Retry-After"]) == (429, "3600")


async def test_an_address_without_a_key_has_a_limit(stranger: ApiClient) -> None:
    for path in ("/health", "/openapi.json", "/notes", "/health"):
        assert (await stranger.request("GET", path)).status != 429
    refused = await stranger.request("GET", "/health")
    assert (refused.status, refused.document["violated-policies"]) == (429, ["public"])
    assert (await stranger.request("GET", "/notes")).status == 429
    elsewhere = {"X-Forwarded-For": "203.0.113.7"}
    assert (await stranger.request("GET", "/health", headers=elsewhere)).status == 200


async def test_wrong_keys_are_refused_for_a_time_that_doubles(
    stranger: ApiClient, client: ApiClient, clock: ManualClock
) -> None:
    async def try_wrong_key() -> tuple[int, str | None]:
        answer = await stranger.request("GET", "/notes", headers=WRONG)
        return answer.status, answer.headers.get("Retry-After")

    assert [await try_wrong_key() for _ in range(3)] == [(401, None), (401, None), (429, "1")]
    # A right key from the same address works all the time.
    assert (await client.request("GET", "/notes")).status == 200
    for seconds in (2, 4, 8):
        assert (await try_wrong_key())[0] == 429
        clock.advance(seconds=seconds / 2)
        assert await try_wrong_key() == (429, str(seconds))
    clock.advance(hours=1)
    assert [await try_wrong_key() for _ in range(3)] == [(401, None), (401, None), (429, "1")]


@pytest.mark.parametrize(
    "spellings",
    [
        ["203.0.113.5", "::ffff:203.0.113.5", "::ffff:cb00:7105"],
        ["2001:db8::1", "2001:DB8:0::1", "2001:db8::2", "2001:db8::1%eth0"],
    ],
)
async def test_wrong_keys_count_for_the_client_however_its_address_is_spelled(
    stranger: ApiClient, spellings: list[str]
) -> None:
    statuses = []
    for spelling in spellings:
        headers = {**WRONG, "X-Forwarded-For": spelling}
        statuses.append((await stranger.request("GET", "/notes", headers=headers)).status)
    assert statuses == [401, 401, *[429] * (len(spellings) - 2)]


async def test_clients_of_ipv4_within_ipv6_count_apart(stranger: ApiClient) -> None:
    for number in range(6):
        headers = {"X-Forwarded-For": f"::ffff:198.51.100.{number}"}
        assert (await stranger.request("GET", "/health", headers=headers)).status == 200


async def test_addresses_of_one_network_of_ipv6_count_together(stranger: ApiClient) -> None:
    for number in range(4):
        headers = {"X-Forwarded-For": f"2001:db8:1:2::{number}"}
        assert (await stranger.request("GET", "/health", headers=headers)).status == 200
    same = {"X-Forwarded-For": "2001:db8:1:2:ffff::1"}
    assert (await stranger.request("GET", "/health", headers=same)).status == 429
    other = {"X-Forwarded-For": "2001:db8:1:3::1"}
    assert (await stranger.request("GET", "/health", headers=other)).status == 200


FULL: dict[str, tuple[int, str, JsonValue]] = {
    "webhooks": (2, "/webhooks/outgoing/register", {"url": "https://example.com/hook"}),
    "schedules": (2, "/schedule", {"every": 3600, "prompt": "x"}),
    "storage": (3, "/notes", {"title": "x", "content": "ä" * 200}),
    # One key is the client's own.
    "keys": (2, "/keys/create", {"name": "x"}),
}


@pytest.mark.parametrize("name", FULL)
async def test_a_user_has_at_most_as_many_objects_as_the_quota(
    client: ApiClient, open_client: MakeClient, clock: ManualClock, name: str
) -> None:
    limit, path, body = FULL[name]
    places = []
    for _ in range(limit):
        clock.advance(minutes=1)
        created = await client.request("POST", path, body)
        assert created.status == 201, created.document
        places.append(created.headers["Location"].removeprefix("/api/v1"))
    clock.advance(minutes=1)
    refused = await client.request("POST", path, body)
    assert refused.status == 409
    assert name in str(refused.document["detail"])
    clock.advance(minutes=1)
    other = await open_client("bob")
    assert (await other.request("POST", path, body)).status == 201
    clock.advance(minutes=1)
    assert (await client.request("DELETE", places[0])).status == 204
    clock.advance(minutes=1)
    assert (await client.request("POST", path, body)).status == 201
    clock.advance(minutes=1)
    assert (await client.request("POST", path, body)).status == 409


async def test_changed_notes_count_towards_the_storage(
    client: ApiClient, clock: ManualClock
) -> None:
    note = await client.post("/notes", {"title": "x"})
    place = f"/notes/{note['id']}"
    for content in ("a" * 300, "b" * 500, "c" * 100):
        clock.advance(minutes=1)
        assert (await client.request("PATCH", place, {"content": content})).status == 200
        await client.get("/me")
    # Titles and tags count too: three bytes for each of the note and its three versions.
    assert await read_storage(client) == 100 + 500 + 300 + 4 * 3
    clock.advance(minutes=1)
    assert (await client.request("PATCH", place, {"content": "d" * 200})).status == 200
    clock.advance(minutes=1)
    assert (await client.request("PATCH", place, {"content": "e"})).status == 409
    assert (await client.request("POST", "/notes", {"title": "x"})).status == 409


async def read_storage(client: ApiClient) -> JsonValue:
    quotas = (await client.get("/me"))["quotas"]
    assert isinstance(quotas, list)
    (used,) = [
        each["used"] for each in quotas if isinstance(each, dict) and each["name"] == "storage"
    ]
    return used


async def test_the_key_of_a_disabled_user_is_limited_by_its_address(
    client: ApiClient, open_client: MakeClient
) -> None:
    other = await open_client("bob")
    user_id = (await other.get("/me"))["id"]
    assert (await client.request("POST", f"/users/{user_id}/disable")).status == 200
    statuses = [(await other.request("GET", "/notes")).status for _ in range(6)]
    assert statuses == [403] * 4 + [429] * 2


async def test_reminders_count_as_schedules(client: ApiClient, clock: ManualClock) -> None:
    bodies: list[tuple[str, JsonValue]] = [
        ("/reminders", {"text": "x", "every": 3600}),
        ("/schedule", {"every": 3600, "prompt": "x"}),
    ]
    for path, body in bodies:
        assert (await client.request("POST", path, body)).status == 201
    clock.advance(minutes=1)
    refused = await client.request("POST", "/reminders", {"text": "x", "every": 3600})
    assert (refused.status, "schedules" in str(refused.document["detail"])) == (409, True)


@pytest.mark.parametrize("sections", [{"plugins": {"webhooks": {"quota": 2}}}])
async def test_simultaneous_requests_exceed_no_quota(
    client: ApiClient,
) -> None:
    body: JsonValue = {"url": "https://example.com/hook"}
    answers = await asyncio.gather(
        *(client.request("POST", "/webhooks/outgoing/register", body) for _ in range(30))
    )
    assert sorted(answer.status for answer in answers) == [201] * 2 + [409] * 28


async def test_a_key_learns_its_limits_and_what_is_left(
    client: ApiClient, open_client: MakeClient
) -> None:
    await client.request("POST", "/notes", {"title": "x", "content": "12345"})
    me = await client.get("/me")
    assert {"name": "read", "limit": 5, "seconds": 60, "left": 4} in me["rates"]  # type: ignore[operator]  # a list
    assert {"name": "write", "limit": 3, "seconds": 60, "left": 2} in me["rates"]  # type: ignore[operator]  # a list
    assert {"name": "storage", "limit": 1000, "used": 8} in me["quotas"]  # type: ignore[operator]  # a list
    narrow = await open_client("ada", Scope.WEBHOOK)
    assert (await narrow.get("/me"))["rates"]


@pytest.mark.parametrize("sections", [{"limits": dict.fromkeys(LIMITS)}])
async def test_null_switches_limits_off(client: ApiClient, stranger: ApiClient) -> None:
    for _ in range(10):
        answer = await client.request("GET", "/notes")
        assert answer.status == 200
        assert "RateLimit" not in answer.headers
        assert (await stranger.request("GET", "/notes", headers=WRONG)).status == 401
    assert (await client.get("/me"))["rates"] == []


async def test_a_quota_that_cannot_be_counted_hides_no_other(
    client: ApiClient, workbench: Workbench
) -> None:
    def count(user_id: int) -> int:
        raise SystemExit(user_id)

    workbench.get(QUOTAS).add(Quota("parcels", 5, "plugins.parcels.quota", count))
    quotas = (await client.get("/me"))["quotas"]
    assert isinstance(quotas, list)
    names = {quota["name"] for quota in quotas if isinstance(quota, dict)}
    assert names == {
        "keys",
        "webhooks",
        "inbound_webhooks",
        "integrations",
        "schedules",
        "storage",
    }
