"""Methods, headers and lists as RFC 9110 and the reference say, on every route."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from pydantic import JsonValue

from biont.application import Application
from biont.testing import ApiClient, MakeClient


def _list_operations(application: Application) -> list[tuple[str, str, dict[str, Any]]]:
    paths = orjson.loads(application.openapi)["paths"]
    return [
        (path, method, operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


async def test_each_creating_route_says_where_the_created_object_is(
    application: Application,
) -> None:
    for path, _, operation in _list_operations(application):
        created = operation["responses"].get("201")
        assert created is None or "Location" in created["headers"], path


# For each route that declares Location: a body that suffices. The order is that of creation.
CREATING: dict[str, JsonValue] = {
    "/api/v1/notes": {"title": "x"},
    "/api/v1/users": {"name": "x"},
    "/api/v1/keys/create": {"name": "x"},
    "/api/v1/keys/{key_id}/rotate": None,
    "/api/v1/events": {"event_type": "custom_x"},
    "/api/v1/schedule": {"every": 3600, "prompt": "x"},
    "/api/v1/schedule/{schedule_id}/run-now": None,
    "/api/v1/schedule/feed": None,
    "/api/v1/reminders": {"text": "x", "every": 3600},
    "/api/v1/webhooks/outgoing/register": {"url": "https://example.com/hook"},
    "/api/v1/integrations": {
        "name": "chat",
        "kind": "slack",
        "settings": {"url": "https://example.com/hook"},
    },
    "/api/v1/webhooks/incoming": {
        "name": "x",
        "preset": "github",
        "action": {"kind": "event", "event_type": "custom_x"},
    },
    "/api/v1/webhooks/listeners": {"name": "x"},
    "/api/v1/webhooks/outgoing/{webhook_id}/test": None,
    "/api/v1/webhooks/outgoing/{webhook_id}/recover": {"since": "2026-01-31T09:00:00Z"},
    "/api/v1/webhooks/outgoing/{webhook_id}/replay": {"since": "2026-01-31T09:00:00Z"},
    "/api/v1/dead-letters/replay": {"handler": "nobody.nothing"},
    "/api/v1/tasks": {"title": "x"},
    "/api/v1/notes/delete": {"ids": [999]},
    "/api/v1/notes/tag": {"ids": [999], "add": ["x"]},
    "/api/v1/tasks/delete": {"ids": [999]},
    "/api/v1/missions": {"goal": "x", "start": False},
    "/api/v1/system/backups": None,
}


async def test_each_location_leads_to_the_created_object(
    application: Application, client: ApiClient
) -> None:
    declared = {
        path
        for path, _, operation in _list_operations(application)
        for status, response in operation["responses"].items()
        if status in ("201", "202") and "Location" in response.get("headers", {})
    }
    assert declared == set(CREATING), "give each creating route a row in CREATING"
    for path, body in CREATING.items():
        route = re.sub(r"\{[a-z_]+\}", "1", path).removeprefix("/api/v1")
        answer = await client.request("POST", route, body)
        assert answer.status in (201, 202), (path, answer.document)
        location = answer.headers["Location"]
        assert location.startswith("/api/v1/")
        found = await client.get(location.removeprefix("/api/v1"))
        names = {"/api/v1/schedule/feed": "created_at", "/api/v1/system/backups": "name"}
        name = names.get(path, "id")
        assert found[name] == answer.document[name], path


async def test_no_list_is_a_bare_array(application: Application) -> None:
    for path, method, operation in _list_operations(application):
        for status, response in operation["responses"].items():
            for content in response.get("content", {}).values():
                schema = content.get("schema", {})
                assert schema.get("type") != "array", (path, method, status)


async def test_each_get_route_has_head_and_options(
    application: Application, client: ApiClient
) -> None:
    for path, method, _ in _list_operations(application):
        route = path.removeprefix("/api/v1").replace("{", "").replace("}", "")
        if method != "get" or not path.startswith("/api/v1"):
            continue
        options = await client.request("OPTIONS", route)
        assert options.status == 204
        assert {"GET", "HEAD", "OPTIONS"} <= set(options.headers["Allow"].split(", ")), path


@pytest.mark.parametrize("path", ["/notes", "/events/stream", "/notes/export", "/health"])
async def test_head_has_the_headers_of_get_and_no_body(client: ApiClient, path: str) -> None:
    async with client._session.head(f"{client.url}/api/v1{path}") as answer:  # noqa: SLF001  # HEAD has no JSON
        assert answer.status == 200
        assert answer.headers["Content-Type"]
        assert await answer.read() == b""


async def test_head_without_a_key_is_401(open_client: MakeClient) -> None:
    stranger = await open_client(None)
    async with stranger._session.head(f"{stranger.url}/api/v1/events/stream") as answer:  # noqa: SLF001  # as above
        assert answer.status == 401


async def test_401_names_the_scheme(open_client: MakeClient) -> None:
    stranger = await open_client(None)
    answer = await stranger.request("GET", "/notes")
    assert answer.headers["WWW-Authenticate"].startswith("ApiKey ")
    async with stranger._session.get(f"{stranger.url}/v1/models") as models:  # noqa: SLF001  # outside /api
        assert models.status == 401
        assert models.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/keys/create", "OPTIONS, POST"),
        ("PUT", "/notes", "GET, HEAD, OPTIONS, POST"),
        ("PUT", "/notes/abc", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("DELETE", "/notes/search", "GET, HEAD, OPTIONS"),
    ],
)
async def test_405_names_the_methods_of_the_path(
    client: ApiClient, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, path)
    assert answer.status == 405
    assert answer.headers["Allow"] == allowed


async def test_each_answer_has_a_request_id(client: ApiClient) -> None:
    chosen = {"X-Request-ID": "trace-1/a=b"}
    for path, status in [("/notes", 200), ("/notes/1", 404), ("/nothing", 404)]:
        answer = await client.request("GET", path, headers=chosen)
        assert answer.status == status
        assert answer.headers["X-Request-ID"] == "trace-1/a=b"
        assert status == 200 or answer.document["request_id"] == "trace-1/a=b"


@pytest.mark.parametrize("wrong", ["", "a b", 'a"b', "x" * 101, "é"])
async def test_a_request_id_that_could_forge_a_line_is_replaced(
    client: ApiClient, wrong: str
) -> None:
    first = await client.request("GET", "/notes/1", headers={"X-Request-ID": wrong})
    second = await client.request("GET", "/notes/1")
    ids = {str(answer.document["request_id"]) for answer in (first, second)}
    assert len(ids) == 2
    assert wrong not in ids


@pytest.mark.parametrize("field", ["title", "content", "tags"])
async def test_null_is_refused_for_a_field_of_a_note_that_cannot_be_empty(
    client: ApiClient, field: str
) -> None:
    await client.post("/notes", {"title": "x", "content": "y", "tags": ["z"]})
    status, problem = await client.ask("PATCH", "/notes/1", {field: None})
    assert status == 422
    assert f"#/{field}" in str(problem["errors"])
    changed = (await client.ask("PATCH", "/notes/1", {"content": ""}))[1]
    assert (changed["title"], changed["content"], changed["tags"]) == ("x", "", ["z"])


async def test_a_change_of_the_user_keeps_what_is_absent_and_clears_what_is_null(
    client: ApiClient,
) -> None:
    for body, zone in [
        ({"time_zone": "Europe/Berlin"}, "Europe/Berlin"),
        ({}, "Europe/Berlin"),
        ({"time_zone": None}, None),
    ]:
        status, user = await client.ask("PATCH", "/me", body)  # type: ignore[arg-type]  # JSON
        assert (status, user["time_zone"]) == (200, zone)
