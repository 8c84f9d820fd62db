from __future__ import annotations

import asyncio

import aiohttp
import pytest
from pydantic import JsonValue

from biont import Scope
from biont.testing import ApiClient, MakeClient, rows_of

HOOKS = "/webhooks/outgoing"
HOOK: dict[str, JsonValue] = {"url": "https://example.com/hook"}


async def open_narrow(client: ApiClient, **fields: JsonValue) -> ApiClient:
    """Return a client with a new key, made by the key of `client`."""
    created = await client.post("/keys/create", {"name": "narrow", **fields})
    return ApiClient(client.url, str(created["key"]))


async def emit(client: ApiClient, event_type: str) -> dict[str, JsonValue]:
    return await client.post("/events", {"event_type": event_type})


async def test_a_read_key_reads_and_does_nothing_else(
    client: ApiClient, open_client: MakeClient
) -> None:
    note = await client.post("/notes", {"title": "Tea", "content": "green"})
    hook = await client.post(f"{HOOKS}/register", HOOK)
    event = await emit(client, "custom_a")
    reader = await open_client("ada", Scope.READ)
    for path in (
        "/notes",
        f"/notes/{note['id']}",
        "/notes/export",
        "/keys",
        "/me",
        "/usage",
        "/operations",
        f"{HOOKS}/{hook['id']}",
        f"/events/{event['id']}",
    ):
        async with aiohttp.ClientSession(headers=reader.headers) as session:  # noqa: TID251
            for method in ("GET", "HEAD"):
                async with session.request(method, f"{reader.url}/api/v1{path}") as answer:
                    assert answer.status == 200, (method, path)
    for method, path in (
        ("POST", "/notes"),
        ("PATCH", f"/notes/{note['id']}"),
        ("DELETE", f"/notes/{note['id']}"),
        ("POST", "/keys/create"),
        ("POST", "/operations/1/cancel"),
        ("POST", f"{HOOKS}/{hook['id']}/test"),
        # Shows requests as the workbench signs them.
        ("GET", f"{HOOKS}/explain?event_id={event['id']}"),
    ):
        status, problem = await reader.ask(method, path, {} if method != "GET" else None)
        assert status == 403, (method, path)
        assert "full" in str(problem["detail"])


async def test_a_narrowed_key_emits_and_reads_its_events_only(client: ApiClient) -> None:
    await client.post("/notes", {"title": "Tea", "content": "green"})
    other = await emit(client, "custom_b")
    async with await open_narrow(client, events=["custom_a*"]) as narrow:
        own = await emit(narrow, "custom_a1")
        status, problem = await narrow.ask("POST", "/events", {"event_type": "custom_b"})
        assert status == 403
        assert "custom_a*" in str(problem["detail"])
        assert [row["id"] for row in rows_of(await narrow.get("/events"))] == [own["id"]]
        assert (await narrow.get(f"/events/{own['id']}"))["id"] == own["id"]
        for path in (
            "/events?event_type=note_created",
            f"/events/{other['id']}",
            f"{HOOKS}/explain?event_id={other['id']}",
            "/dead-letters",
        ):
            assert (await narrow.ask("GET", path))[0] == 403, path


async def test_a_key_of_several_patterns_lists_and_streams_the_events_of_each(
    client: ApiClient,
) -> None:
    for event_type in ("custom_a", "custom_b", "custom_c", "custom_a"):
        await emit(client, event_type)
    await client.post("/notes", {"title": "Tea", "content": "green"})
    async with await open_narrow(client, events=["custom_c", "custom_a*"]) as narrow:
        listed = rows_of(await narrow.get("/events?limit=2"))
        assert [row["event_type"] for row in listed] == ["custom_a", "custom_c"]
        stream = f"{client.url}/api/v1/events/stream?last_event_id=0"
        async with (
            aiohttp.ClientSession(headers=narrow.headers) as session,  # noqa: TID251
            asyncio.timeout(30),
            session.get(stream) as response,
        ):
            types: list[str] = []
            async for line in response.content:
                if line.startswith(b"event: "):
                    types.append(line[7:].decode().strip())
                    if len(types) == 3:
                        break
    assert types == ["custom_a", "custom_c", "custom_a"]


@pytest.mark.parametrize("scope", ["full", "webhook"])
async def test_a_narrowed_key_uses_webhooks_for_its_events_only(
    client: ApiClient, scope: str
) -> None:
    everything = await client.post(f"{HOOKS}/register", HOOK)
    hook = f"{HOOKS}/{everything['id']}"
    async with await open_narrow(client, scope=scope, events=["custom_*"]) as narrow:
        wide: list[dict[str, JsonValue]] = [HOOK, {**HOOK, "event_types": ["custom_a", "*"]}]
        for each in wide:
            assert (await narrow.ask("POST", f"{HOOKS}/register", each))[0] == 403
        own = await narrow.post(f"{HOOKS}/register", {**HOOK, "event_types": ["custom_a*"]})
        change: JsonValue = {"event_types": ["note_*"]}
        assert (await narrow.ask("PATCH", f"{HOOKS}/{own['id']}", change))[0] == 403
        assert (await narrow.ask("PATCH", f"{HOOKS}/{own['id']}", {"rate": 5}))[0] == 200
        since: JsonValue = {"since": "2026-01-01T00:00:00Z"}
        stolen: JsonValue = {"url": "https://example.com/mine"}
        for method, path, body in (
            ("PATCH", hook, stolen),
            ("POST", f"{hook}/pause", None),
            ("POST", f"{hook}/resume", None),
            ("POST", f"{hook}/rotate-secret", None),
            ("POST", f"{hook}/test", None),
            ("POST", f"{hook}/replay", since),
            ("POST", f"{hook}/recover", since),
            ("GET", f"{hook}/deliveries", None),
            ("DELETE", hook, None),
        ):
            assert (await narrow.ask(method, path, body))[0] == 403, (method, path)
    assert (await client.get(hook))["url"] == HOOK["url"]


async def test_a_webhook_key_reads_by_explain_what_a_webhook_subscribes_to(
    client: ApiClient, open_client: MakeClient
) -> None:
    await client.post(f"{HOOKS}/register", {**HOOK, "event_types": ["custom_*"]})
    await client.post("/notes", {"title": "Secret", "content": "diary"})
    (note, *_) = rows_of(await client.get("/events"))
    event = await emit(client, "custom_a")
    hooks = await open_client("ada", Scope.WEBHOOK)
    explained = await hooks.get(f"{HOOKS}/explain?event_id={note['id']}")
    assert explained["body"] is None
    assert "Secret" not in str(explained)
    assert "custom_a" in str((await hooks.get(f"{HOOKS}/explain?event_id={event['id']}"))["body"])
    assert "Secret" in str((await client.get(f"{HOOKS}/explain?event_id={note['id']}"))["body"])


async def test_a_narrowed_key_makes_narrower_keys_only(client: ApiClient) -> None:
    async with await open_narrow(client, events=["custom_*"], models=["local"]) as narrow:
        inherited = await narrow.post("/keys/create", {"name": "child"})
        assert (inherited["events"], inherited["models"]) == (["custom_*"], ["local"])
        smaller: JsonValue = {"name": "child", "events": ["custom_a"], "models": ["local/tiny"]}
        assert (await narrow.post("/keys/create", smaller))["events"] == ["custom_a"]
        wider: list[tuple[dict[str, JsonValue], str]] = [
            ({"events": ["custom_a", "*"]}, "#/events/1"),
            ({"events": ["note_created"]}, "#/events/0"),
            ({"models": ["openai"]}, "#/models/0"),
        ]
        for fields, pointer in wider:
            status, problem = await narrow.ask("POST", "/keys/create", {"name": "x", **fields})
            assert status == 422
            assert pointer in str(problem["errors"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/schedule", {"cron": "0 9 * * *", "prompt": "Hello"}),
        ("/missions", {"goal": "Read all events"}),
        ("/chat", {"message": "List my events", "tools": ["search_notes"]}),
    ],
)
async def test_a_narrowed_key_starts_nothing_that_may_do_more(
    client: ApiClient, path: str, body: dict[str, JsonValue]
) -> None:
    async with await open_narrow(client, events=["custom_*"]) as narrow:
        assert (await narrow.ask("POST", path, body))[0] == 403


@pytest.mark.parametrize("pattern", ["", "Custom", "a*b", "custom_**", "1", "*_created"])
async def test_a_key_is_narrowed_to_patterns_only(client: ApiClient, pattern: str) -> None:
    status, problem = await client.ask("POST", "/keys/create", {"name": "x", "events": [pattern]})
    assert status == 422
    assert "#/events/0" in str(problem["errors"])


async def test_a_key_may_be_narrowed_to_nothing(client: ApiClient) -> None:
    async with await open_narrow(client, events=[]) as narrow:
        assert (await narrow.ask("POST", "/events", {"event_type": "custom_a"}))[0] == 403
        assert (await narrow.ask("GET", "/events"))[0] == 403
        assert (await narrow.ask("GET", "/notes"))[0] == 200
