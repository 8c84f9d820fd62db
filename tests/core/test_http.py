from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from conftest import Restart
from pydantic import JsonValue

from biont import Scope, Workbench
from biont.testing import ApiClient, MakeClient, ManualClock, rows_of

NOTE: dict[str, JsonValue] = {"title": "A note", "content": "its text"}


@pytest.mark.parametrize(
    "key",
    [None, "", "asb_", "asb_" + "0" * 64, "ASB_" + "a" * 64, "asb_" + "g" * 64, "x" * 5000],
)
async def test_a_missing_or_unknown_key_is_401(client: ApiClient, key: str | None) -> None:
    async with ApiClient(client.url, key) as stranger:
        status, problem = await stranger.ask("GET", "/notes")
    assert status == 401
    assert problem["status"] == 401
    assert problem["title"] == "Unauthorized"


async def test_an_expired_key_is_401(
    workbench: Workbench, open_client: MakeClient, clock: ManualClock
) -> None:
    client = await open_client()
    owner = await workbench.users.find("ada")
    soon = clock.now() + timedelta(hours=1)
    plain, _ = await workbench.keys.create(owner.id, "brief", Scope.FULL, soon)
    async with ApiClient(client.url, plain) as brief:
        assert (await brief.ask("GET", "/notes"))[0] == 200
        clock.advance(hours=1)
        assert (await brief.ask("GET", "/notes"))[0] == 401


async def test_a_revoked_key_is_401_at_once(client: ApiClient) -> None:
    created = await client.post("/keys/create", {"name": "spare"})
    async with ApiClient(client.url, str(created["key"])) as spare:
        assert (await spare.ask("GET", "/notes"))[0] == 200
        assert (await client.ask("DELETE", f"/keys/{created['id']}"))[0] == 204
        assert (await spare.ask("GET", "/notes"))[0] == 401


async def test_a_key_is_shown_only_once(client: ApiClient) -> None:
    created = await client.post("/keys/create", {"name": "once", "scope": "chat"})
    assert str(created["key"]).startswith(str(created["prefix"]))
    listed = await client.get("/keys")
    assert str(created["key"]) not in str(listed)


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        (Scope.CHAT, "/notes"),
        (Scope.CHAT, "/keys"),
        (Scope.CHAT, "/webhooks/outgoing"),
        (Scope.WEBHOOK, "/notes"),
        (Scope.WEBHOOK, "/schedule"),
    ],
)
async def test_a_key_without_the_scope_is_403(
    open_client: MakeClient, scope: Scope, path: str
) -> None:
    client = await open_client("ada", scope)
    status, problem = await client.ask("GET", path)
    assert status == 403
    assert scope in str(problem["detail"])


async def test_a_webhook_key_reaches_webhooks(open_client: MakeClient) -> None:
    client = await open_client("ada", Scope.WEBHOOK)
    assert (await client.ask("GET", "/webhooks/outgoing"))[0] == 200


async def test_the_rows_of_another_user_are_404(open_client: MakeClient) -> None:
    ada, eve = await open_client("ada"), await open_client("eve")
    note = await ada.post("/notes", NOTE)
    key = await ada.post("/keys/create", {"name": "ada's"})
    schedule = await ada.post("/schedule", {"cron": "0 9 * * *", "prompt": "Hello"})
    webhook = await ada.post("/webhooks/outgoing/register", {"url": "https://example.com/hook"})
    for method, path in [
        ("GET", f"/notes/{note['id']}"),
        ("DELETE", f"/notes/{note['id']}"),
        ("DELETE", f"/keys/{key['id']}"),
        ("GET", f"/schedule/{schedule['id']}"),
        ("GET", f"/schedule/{schedule['id']}/runs"),
        ("POST", f"/schedule/{schedule['id']}/pause"),
        ("POST", f"/schedule/{schedule['id']}/resume"),
        ("DELETE", f"/schedule/{schedule['id']}"),
        ("GET", f"/webhooks/outgoing/{webhook['id']}"),
        ("GET", f"/webhooks/outgoing/{webhook['id']}/deliveries"),
        ("DELETE", f"/webhooks/outgoing/{webhook['id']}"),
    ]:
        assert (await eve.ask(method, path))[0] == 404, (method, path)
    assert (await eve.ask("PATCH", f"/notes/{note['id']}", {"title": "mine"}))[0] == 404
    for path in ("/notes", "/schedule", "/webhooks/outgoing", "/events"):
        assert (await eve.get(path))["data"] == []
    assert (await ada.get(f"/notes/{note['id']}"))["title"] == NOTE["title"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"title": NaN}',
        b'{"title": Infinity}',
        b'{"title": "\xff"}',
        b'{"title": "\\ud800"}',
        b"title=A+note",
    ],
    ids=["empty", "cut", "NaN", "infinity", "no UTF-8", "lone surrogate", "form"],
)
async def test_a_body_that_is_not_json_is_400(client: ApiClient, body: bytes) -> None:
    status, problem = await client.ask("POST", "/notes", data=body)
    assert status == 400
    assert "not JSON" in str(problem["detail"])


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 10 * 1024 * 1024])
async def test_a_body_that_is_too_large_is_413(client: ApiClient, size: int) -> None:
    status, problem = await client.ask("POST", "/notes", data=b" " * size)
    assert status == 413
    assert "server.body_limit" in str(problem["detail"])


async def test_a_body_of_another_type_is_415(client: ApiClient) -> None:
    status, _ = await client.ask(
        "POST", "/notes", data=b"{}", headers={"Content-Type": "text/plain"}
    )
    assert status == 415


async def test_problems_in_a_body_have_json_pointers(client: ApiClient) -> None:
    status, problem = await client.ask("POST", "/notes", {"title": "", "contents": "typo"})
    assert status == 422
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert {error["pointer"] for error in errors if isinstance(error, dict)} == {
        "#/title",
        "#/contents",
    }


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/notes?limit=0", "limit"),
        ("/notes?limit=1001", "limit"),
        ("/notes?limit=ten", "limit"),
        ("/notes?cursor=%ff", "cursor"),
        ("/notes?cursor=AAAA", "cursor"),
        ("/notes?colour=red", "colour"),
        ("/notes/none", "note_id"),
        ("/notes/0", "note_id"),
        ("/notes/99999999999999999999", "note_id"),
        ("/dead-letters?since=0001-01-01T00:00:00%2B14:00", "since"),
        ("/events?until=9999-12-31T23:59:59-14:00", "until"),
        ("/webhooks/outgoing/1/deliveries?since=0001-01-01T00:00:00%2B14:00", "since"),
    ],
)
async def test_problems_in_parameters_name_the_parameter(
    client: ApiClient, path: str, parameter: str
) -> None:
    status, problem = await client.ask("GET", path)
    assert status == 422
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert isinstance(errors[0], dict)
    assert errors[0]["parameter"] == parameter


async def test_unknown_paths_and_methods_get_problem_documents(client: ApiClient) -> None:
    assert (await client.ask("GET", "/nothing"))[1]["status"] == 404
    status, problem = await client.ask("PUT", "/notes")
    assert (status, problem["title"]) == (405, "Method Not Allowed")


async def test_a_list_is_read_in_pages(client: ApiClient) -> None:
    for number in range(7):
        await client.post("/notes", {"title": f"note {number}"})
    titles: list[str] = []
    path = "/notes?limit=3"
    while True:
        page = await client.get(path)
        data = page["data"]
        assert isinstance(data, list)
        titles += [str(note["title"]) for note in data if isinstance(note, dict)]
        # What comes while one reads does not move what one has yet to read.
        await client.post("/notes", {"title": "in between"})
        if page["next"] is None:
            break
        path = f"/notes?limit=3&cursor={page['next']}"
    assert titles == [f"note {number}" for number in reversed(range(7))]


async def test_a_link_leads_to_the_next_page_with_the_same_filters(client: ApiClient) -> None:
    for number in range(5):
        tags: list[JsonValue] = ["odd" if number % 2 else "even"]
        await client.post("/notes", {"title": f"note {number}", "tags": tags})
    titles: list[str] = []
    url = f"{client.url}/api/v1/notes?limit=2&tag=even"
    while url:
        async with client._session.get(url) as answer:  # noqa: SLF001  # the headers are wanted
            page = await answer.json()
            titles += [note["title"] for note in page["data"]]
            assert ("next" in answer.links) == (page["next"] is not None)
            url = str(answer.links["next"]["url"]) if "next" in answer.links else ""
    assert titles == ["note 4", "note 2", "note 0"]


async def test_a_client_emits_a_custom_event(client: ApiClient) -> None:
    emitted = await client.post("/events", {"event_type": "custom_sale", "payload": {"n": 1}})
    page = await client.get_until("/events", lambda page: page["data"])
    data = page["data"]
    assert isinstance(data, list)
    assert isinstance(data[0], dict)
    assert data[0]["id"] == emitted["id"]
    assert data[0]["payload"] == {"n": 1}


@pytest.mark.parametrize("event_type", ["note_created", "custom_", "custom_A", "custom_x" * 20])
async def test_a_client_cannot_emit_events_of_declared_types(
    client: ApiClient, event_type: str
) -> None:
    status, _ = await client.ask("POST", "/events", {"event_type": event_type, "payload": {}})
    assert status == 422


async def test_a_large_payload_is_refused(client: ApiClient) -> None:
    payload: dict[str, JsonValue] = {"text": "x" * 256 * 1024}
    status, problem = await client.ask(
        "POST", "/events", {"event_type": "custom_large", "payload": payload}
    )
    assert status == 422
    assert "#/payload" in str(problem["errors"])


async def test_concurrent_requests_are_all_answered(client: ApiClient) -> None:
    created = await asyncio.gather(
        *(client.post("/notes", {"title": f"note {number}"}) for number in range(200))
    )
    assert len({note["id"] for note in created}) == 200


async def test_the_last_use_of_a_key_survives_a_stop(restart: Restart) -> None:
    async with restart() as client:
        await client.get("/keys")
    async with restart() as client:
        _, earlier = rows_of(await client.get("/keys"))
        assert earlier["last_used_at"] is not None
