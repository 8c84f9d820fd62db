"""PATCH is a JSON merge patch (RFC 7396) on every route of the document."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import orjson
import pytest
from pydantic import JsonValue

from biont.application import Application
from biont.testing import ApiClient, ManualClock, ModelServer, rows_of

Body = dict[str, JsonValue]

# For each PATCH route: the route that creates the object, and a body with a value for every
# field that a patch may change.
CREATED: dict[str, tuple[str, Body] | None] = {
    "/api/v1/me": None,
    "/api/v1/users/{user_id}": ("/users", {"name": "grace", "role": "member"}),
    "/api/v1/keys/{key_id}": ("/keys/create", {"name": "Till"}),
    "/api/v1/notes/{note_id}": ("/notes", {"title": "Plan", "content": "x", "tags": ["a"]}),
    "/api/v1/reminders/{reminder_id}": (
        "/reminders",
        {
            "text": "Tea",
            "cron": "0 0 9 * * *",
            "seconds": True,
            "time_zone": "Asia/Tokyo",
            "starts_at": "2026-04-01T00:00:00Z",
            "ends_at": "2027-04-01T00:00:00Z",
        },
    ),
    "/api/v1/schedule/{schedule_id}": (
        "/schedule",
        {
            "name": "Greeting",
            "prompt": "Hello",
            "every": 60,
            "time_zone": "Asia/Tokyo",
            "starts_at": "2026-04-01T00:00:00Z",
            "ends_at": "2027-04-01T00:00:00Z",
            "max_runs": 5,
            "jitter": 10,
            "catch_up": "all",
            "catch_up_window": 60,
            "catch_up_limit": 7,
            "overlap": "allow",
            "timeout": 5.0,
            "retry": [1.0],
            "daily_budget": 9,
            "on_crash": "fail",
            "parameters": {"prompt": "Hello"},
        },
    ),
    "/api/v1/webhooks/outgoing/{webhook_id}": (
        "/webhooks/outgoing/register",
        {
            "url": "https://example.com/hook",
            "name": "Hook",
            "event_types": ["note_created"],
            "filter": {"path": "a", "op": "exists"},
            "success": "2xx",
            "retry": "standard",
            "headers": {"X-A": "1", "X-B": "2"},
            "rate": 1.0,
            "concurrency": 2,
        },
    ),
    "/api/v1/integrations/{integration_id}": (
        "/integrations",
        {
            "kind": "ntfy",
            "settings": {"topic": "news", "server": "http://127.0.0.1:9"},
            "reports": True,
            "shared": False,
        },
    ),
    "/api/v1/webhooks/incoming/{inbound_id}": (
        "/webhooks/incoming",
        {
            "name": "Issues",
            "preset": "none",
            "action": {"kind": "event", "event_type": "custom_issue"},
            "signature": {"signature": "headers.x-signature"},
            "filter": {"path": "event", "op": "exists"},
            "addresses": ["127.0.0.0/8"],
            "rate": 1.0,
        },
    ),
    "/api/v1/webhooks/listeners/{listener_id}": (
        "/webhooks/listeners",
        {"name": "me", "event_types": ["note_created"]},
    ),
    "/api/v1/conversations/{conversation_id}": ("/chat", {"message": "Hello", "model": "m"}),
}

# Fields that follow from other fields.
FOLLOWING = {"updated_at", "next_at", "next_fire_at", "version", "warnings", "words"}


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    return scripted.sections


def _list_patches(application: Application) -> dict[str, Any]:
    document = orjson.loads(application.openapi)
    return {
        path: methods["patch"] for path, methods in document["paths"].items() if "patch" in methods
    }


def _list_fields(application: Application, operation: dict[str, Any]) -> list[str]:
    content = operation["requestBody"]["content"]
    assert set(content) == {"application/json", "application/merge-patch+json"}
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema = orjson.loads(application.openapi)["components"]["schemas"][name]
    assert not schema.get("required"), name
    assert not [field for field, each in schema["properties"].items() if "default" in each], name
    return list(schema["properties"])


async def _create(client: ApiClient, path: str) -> str:
    row = CREATED[path]
    if row is None:
        return path.removeprefix("/api/v1")
    route, body = row
    if route in ("/users", "/webhooks/listeners", "/integrations"):
        body = {**body, "name": f"x{uuid4()}"}  # which no two users, or listeners, share
    created = await client.post(route, body)
    number = created.get("id", created.get("conversation_id"))
    return f"{path.removeprefix('/api/v1').partition('{')[0]}{number}"


async def _read(client: ApiClient, path: str) -> Body:
    """Return an object without the numbers that each request changes."""
    return {name: value for name, value in (await client.get(path)).items() if name != "rates"}


async def _patch(client: ApiClient, path: str, body: Body) -> tuple[int, dict[str, JsonValue]]:
    named = {"Content-Type": "application/merge-patch+json"}
    return await client.ask("PATCH", path, data=orjson.dumps(body), headers=named)


async def test_null_clears_a_field_or_is_refused_by_name_and_the_others_stay(
    application: Application, client: ApiClient
) -> None:
    patches = _list_patches(application)
    assert set(patches) == set(CREATED), "give each PATCH route a row in CREATED"
    for route, operation in patches.items():
        for field in _list_fields(application, operation):
            path = await _create(client, route)
            before = await _read(client, path)
            status, answer = await _patch(client, path, {field: None})
            after = await _read(client, path)
            if status == 422:
                assert [row["pointer"] for row in answer["errors"]] == [f"#/{field}"], path  # type: ignore[union-attr,index,call-overload]  # JSON
                assert after == before
                continue
            assert status == 200, (path, field, answer)
            assert after.get(field) in (None, {}, [], "UTC"), (path, field)
            others = before.keys() - FOLLOWING - {field}
            assert {name: after[name] for name in others} == {
                name: before[name] for name in others
            }, (path, field)


async def test_an_empty_patch_changes_nothing(
    application: Application, client: ApiClient, clock: ManualClock
) -> None:
    for route in _list_patches(application):
        path = await _create(client, route)
        before = await _read(client, path)
        clock.advance(minutes=1)
        assert (await _patch(client, path, {}))[0] == 200
        assert await _read(client, path) == before


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"X-C": "3"}, ["X-A", "X-B", "X-C"]),
        ({"x-b": "3"}, ["X-A", "x-b"]),
        ({"X-A": None}, ["X-B"]),
        ({"x-a": None, "X-D": None, "X-C": "3"}, ["X-B", "X-C"]),
        ({"X-A": None, "X-B": None}, []),
        ({}, ["X-A", "X-B"]),
        (None, []),
    ],
)
async def test_the_headers_of_a_webhook_merge_by_name(
    client: ApiClient, patch: JsonValue, expected: list[str]
) -> None:
    path = await _create(client, "/api/v1/webhooks/outgoing/{webhook_id}")
    status, changed = await _patch(client, path, {"headers": patch})
    headers = changed["headers"]
    assert isinstance(headers, dict)
    assert (status, sorted(headers)) == (200, sorted(expected))


async def test_merged_headers_are_judged_together(client: ApiClient) -> None:
    path = await _create(client, "/api/v1/webhooks/outgoing/{webhook_id}")
    many: Body = {f"X-{number}": "1" for number in range(19)}
    status, problem = await _patch(client, path, {"headers": many})
    assert (status, "#/headers" in str(problem)) == (422, True)
    twice: Body = {"headers": {"X-C": "1", "x-c": "2"}}
    assert (await _patch(client, path, twice))[0] == 422
    assert (await _patch(client, path, {"headers": {"Host": None}}))[0] in (200, 422)
    assert len((await client.get(path))["headers"]) == 2  # type: ignore[arg-type]  # JSON


async def test_a_filter_is_replaced_as_a_whole(client: ApiClient) -> None:
    path = await _create(client, "/api/v1/webhooks/outgoing/{webhook_id}")
    chosen: JsonValue = {"path": "b", "op": "eq", "value": None}
    assert (await _patch(client, path, {"filter": chosen}))[1]["filter"] == chosen


async def test_a_body_that_is_no_object_is_refused(
    application: Application, client: ApiClient
) -> None:
    for route in _list_patches(application):
        path = await _create(client, route)
        before = await _read(client, path)
        for body in (b"null", b"[]", b'"x"', b""):
            status, _ = await client.ask("PATCH", path, data=body)
            assert status in (400, 422), (path, body)
        assert await _read(client, path) == before
    assert rows_of(await client.get("/notes"))
