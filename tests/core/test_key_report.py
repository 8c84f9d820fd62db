from __future__ import annotations

import pytest
from conftest import Restart
from pydantic import JsonValue

from biont.testing import ApiClient, MakeClient, ModelServer, rows_of

Fields = dict[str, JsonValue]
Requests = list[tuple[str, str, JsonValue]]

HOOK: Fields = {"url": "https://example.com/x", "event_types": ["note_created", "custom_*"]}


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    return scripted.sections


async def make(client: ApiClient, **fields: JsonValue) -> tuple[ApiClient, JsonValue]:
    created = await client.post("/keys/create", {"name": "used", **fields})
    return ApiClient(client.url, str(created["key"])), created["id"]


async def read_report(client: ApiClient, key_id: JsonValue) -> Fields:
    page = await client.get("/keys/report?limit=1000")
    return next(row for row in rows_of(page) if row["id"] == key_id)


async def use(client: ApiClient, requests: Requests) -> None:
    for method, path, body in requests:
        status, answer = await client.ask(method, path, body)
        assert status < 400, (method, path, answer)


@pytest.mark.parametrize(
    ("requests", "smaller"),
    [
        (
            [("GET", "/notes", None), ("GET", "/events?event_type=custom_a*", None)],
            {"scope": "read", "events": ["custom_a*"], "models": []},
        ),
        ([("GET", "/events", None)], {"scope": "read", "events": None, "models": []}),
        (
            [
                ("POST", "/events", {"event_type": "custom_a"}),
                ("POST", "/events", {"event_type": "custom_b"}),
            ],
            {"scope": "full", "events": ["custom_a", "custom_b"], "models": []},
        ),
        (
            [("POST", "/webhooks/outgoing/register", HOOK)],
            {"scope": "webhook", "events": ["custom_*", "note_created"], "models": []},
        ),
        ([("GET", "/conversations", None)], {"scope": "chat", "events": [], "models": []}),
        (
            [("POST", "/schedule", {"every": 3600, "prompt": "Hello"})],
            None,
        ),
    ],
)
async def test_the_report_names_the_smallest_key_that_would_do(
    client: ApiClient, requests: Requests, smaller: Fields | None
) -> None:
    used, number = await make(client)
    async with used:
        await use(used, requests)
    report = await read_report(client, number)
    assert report["smaller"] == smaller
    rights: Fields = smaller or {"scope": "full"}
    dry_run = await client.post(f"/keys/{number}/dry-run", rights)
    assert dry_run == {"suffices": True, "uses": len(requests), "refused": []}
    # The smaller key really does.
    small, _ = await make(client, **rights)
    async with small:
        await use(small, requests)


async def test_a_key_that_chats_needs_its_model_only(client: ApiClient) -> None:
    used, number = await make(client)
    async with used:
        await used.post("/chat", {"message": "Hello"})
    report = await read_report(client, number)
    (model,) = rows_of({"data": report["used_models"]})
    assert report["smaller"] == {"scope": "chat", "events": [], "models": [model["name"]]}
    refused: Fields = {"scope": "chat", "models": ["nobody"]}
    assert (await client.post(f"/keys/{number}/dry-run", refused))["suffices"] is False
    small, _ = await make(client, scope="chat", models=[model["name"]])
    async with small:
        await small.post("/chat", {"message": "Hello"})


async def test_a_dry_run_lists_what_would_be_refused(client: ApiClient) -> None:
    used, number = await make(client)
    async with used:
        await use(
            used,
            [
                ("POST", "/notes", {"title": "Tea"}),
                ("POST", "/notes", {"title": "Tea"}),
                ("GET", "/notes", None),
                ("POST", "/events", {"event_type": "custom_b"}),
                ("GET", "/dead-letters", None),
            ],
        )
    tried: list[tuple[Fields, dict[str, int]]] = [
        ({"scope": "read"}, {"create_note": 2, "emit_event": 1}),
        ({"scope": "full", "events": ["custom_a"]}, {"list_dead_letters": 1, "custom_b": 1}),
        ({"scope": "full"}, {}),
    ]
    for rights, expected in tried:
        answer = await client.post(f"/keys/{number}/dry-run", rights)
        refused = rows_of({"data": answer["refused"]})
        assert {row["operation"] or row["name"]: row["count"] for row in refused} == expected
        assert all(row["reason"] for row in refused)
        assert answer["suffices"] is (not expected)
    # Nothing was changed.
    assert (await client.get(f"/keys/{number}"))["scope"] == "full"


async def test_refused_and_unknown_requests_are_no_uses(client: ApiClient) -> None:
    used, number = await make(client, scope="read")
    async with used:
        assert (await used.ask("POST", "/notes", {"title": "Tea"}))[0] == 403
        assert (await used.ask("GET", "/nowhere"))[0] == 404
    report = await read_report(client, number)
    assert (report["operations"], report["smaller"]) == ([], None)


async def test_uses_are_kept_over_a_restart(restart: Restart) -> None:
    async with restart() as client:
        used, number = await make(client)
        async with used:
            for _ in range(3):
                await used.get("/notes")
            await used.ask("HEAD", "/notes")
    async with restart() as client:
        report = await read_report(client, number)
        (operation,) = rows_of({"data": report["operations"]})
        assert operation["operation"] == "list_notes"
        assert operation["count"] == 4
        assert operation["last_used_at"]


async def test_a_key_of_very_many_event_types_needs_all(client: ApiClient) -> None:
    used, number = await make(client)
    async with used:
        for index in range(201):
            await used.post("/events", {"event_type": f"custom_{index}"})
    report = await read_report(client, number)
    (everything,) = rows_of({"data": report["used_events"]})
    assert (everything["name"], everything["count"]) == ("*", 201)


async def test_reports_show_own_keys_only(client: ApiClient, open_client: MakeClient) -> None:
    eve = await open_client("eve")
    own = (await eve.get("/keys"))["data"]
    reported = rows_of(await eve.get("/keys/report"))
    assert [row["id"] for row in reported] == [row["id"] for row in rows_of({"data": own})]
    _, number = await make(client)
    assert (await eve.ask("POST", f"/keys/{number}/dry-run", {"scope": "read"}))[0] == 404


async def test_the_report_works_for_a_model_that_no_key_can_name(client: ApiClient) -> None:
    used, number = await make(client)
    async with used:
        await used.request("POST", "/chat", {"message": "Hello", "model": "x" * 200})
    report = await read_report(client, number)
    assert len(str(report["used_models"])) > 200
    assert report["smaller"] == {"scope": "chat", "events": None, "models": None}
