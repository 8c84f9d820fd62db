"""ETag, If-Match, If-None-Match and Prefer: two clients that edit one object lose nothing."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import orjson
import pytest
from pydantic import JsonValue

from biont.application import Application
from biont.testing import ApiClient, MakeClient

CHANGES: dict[str, tuple[str, JsonValue, JsonValue]] = {
    "/notes/{note_id}": ("/notes", {"title": "Tea"}, {"title": "Coffee"}),
    "/schedule/{schedule_id}": (
        "/schedule",
        {"every": 3600, "prompt": "Hello"},
        {"every": 7200},
    ),
    "/reminders/{reminder_id}": ("/reminders", {"text": "Tea", "every": 3600}, {"text": "Milk"}),
    "/webhooks/listeners/{listener_id}": (
        "/webhooks/listeners",
        {"name": "me"},
        {"event_types": ["custom_x"]},
    ),
    "/integrations/{integration_id}": (
        "/integrations",
        {"name": "chat", "kind": "slack", "settings": {"url": "http://127.0.0.1:9/hook"}},
        {"name": "team"},
    ),
    "/webhooks/incoming/{inbound_id}": (
        "/webhooks/incoming",
        {
            "name": "Issues",
            "preset": "github",
            "action": {"kind": "event", "event_type": "custom_issue"},
        },
        {"name": "Bugs"},
    ),
    "/webhooks/outgoing/{webhook_id}": (
        "/webhooks/outgoing/register",
        {"url": "https://example.com/hook"},
        {"name": "Shop"},
    ),
    "/tasks/{task_id}": ("/tasks", {"title": "Buy tea"}, None),
    "/schedule/feed": ("/schedule/feed", None, None),
}
"""For each object: the route that creates one, its body, and a change; None if only deleted."""


async def create(client: ApiClient, path: str) -> str:
    """Create an object; return its path."""
    route, body, _ = CHANGES[path]
    answer = await client.request("POST", route, body)
    assert answer.status == 201, answer.document
    return answer.headers["Location"].removeprefix("/api/v1")


async def test_each_object_that_can_be_changed_has_a_tag(application: Application) -> None:
    paths: dict[str, Any] = orjson.loads(application.openapi)["paths"]
    # A dead letter can be dropped only.
    changed = {
        path: methods
        for path, methods in paths.items()
        if {"patch", "delete"} & set(methods) and not path.endswith("/dead-letters/{letter_id}")
    }
    for path, methods in changed.items():
        for method in {"patch", "delete"} & set(methods):
            parameters = [each.get("$ref", "") for each in methods[method]["parameters"]]
            assert "#/components/parameters/If-Match" in parameters, (method, path)
            assert "412" in methods[method]["responses"], (method, path)
        found = methods["get"]["responses"]
        assert "ETag" in found["200"]["headers"], path
        assert "304" in found, path


@pytest.mark.parametrize("path", CHANGES)
async def test_a_client_that_knows_the_object_gets_304(client: ApiClient, path: str) -> None:
    place = await create(client, path)
    first = await client.request("GET", place)
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await client.request("GET", place, headers={"If-None-Match": known})
        assert (again.status, again.headers["ETag"]) == (304, tag), known
        assert again.document == {}
    other = await client.request("GET", place, headers={"If-None-Match": '"other"'})
    assert other.status == 200
    assert other.document == first.document


@pytest.mark.parametrize("path", [path for path, change in CHANGES.items() if change[2]])
async def test_two_clients_that_edit_one_object_overwrite_nothing(
    client: ApiClient, path: str
) -> None:
    place = await create(client, path)
    read = {"If-Match": (await client.request("GET", place)).headers["ETag"]}
    change = CHANGES[path][2]
    first = await client.request("PATCH", place, change, headers=read)
    assert first.status == 200, first.document
    before = await client.get(place)
    second = await client.request("PATCH", place, change, headers=read)
    assert second.status == 412
    assert (await client.request("DELETE", place, headers=read)).status == 412
    assert await client.get(place) == before
    # The answer of a change has the tag for the next one.
    assert first.headers["ETag"] == (await client.request("GET", place)).headers["ETag"]
    present = {"If-Match": first.headers["ETag"]}
    assert (await client.request("DELETE", place, headers=present)).status == 204


async def test_a_note_is_changed_from_the_version_that_the_client_names(client: ApiClient) -> None:
    place = await create(client, "/notes/{note_id}")
    changes: list[JsonValue] = [{"title": f"Title {number}", "version": 1} for number in range(10)]
    answers = await asyncio.gather(*(client.request("PATCH", place, each) for each in changes))
    assert sorted(answer.status for answer in answers) == [200] + [412] * 9
    assert (await client.get(place))["version"] == 2
    for wrong in (None, 0, "2"):
        assert (await client.request("PATCH", place, {"version": wrong})).status == 422


async def test_of_many_simultaneous_edits_of_one_state_one_succeeds(client: ApiClient) -> None:
    place = await create(client, "/notes/{note_id}")
    read = {"If-Match": (await client.request("GET", place)).headers["ETag"]}
    answers = await asyncio.gather(
        *(
            client.request("PATCH", place, {"title": f"Title {number}"}, headers=read)
            for number in range(20)
        )
    )
    assert sorted(answer.status for answer in answers) == [200] + [412] * 19
    assert (await client.get(place))["version"] == 2


async def test_what_the_workbench_counts_prevents_no_edit(client: ApiClient) -> None:
    place = await create(client, "/webhooks/outgoing/{webhook_id}")
    before = (await client.request("GET", place)).headers["ETag"]
    await client.request("POST", f"{place}/pause")
    paused = await client.request("GET", place, headers={"If-None-Match": before})
    assert paused.status == 200, "a client that shows the status has to notice the pause"
    changed = await client.request("PATCH", place, {"name": "x"}, headers={"If-Match": before})
    assert changed.status == 200


@pytest.mark.parametrize("match", ['W/"{}"', '"other"', '"other", W/"{}"'])
async def test_a_condition_that_is_not_met_changes_nothing(client: ApiClient, match: str) -> None:
    place = await create(client, "/notes/{note_id}")
    tag = (await client.request("GET", place)).headers["ETag"].strip('"')
    headers = {"If-Match": match.format(tag)}
    answer = await client.request("PATCH", place, {"title": "x"}, headers=headers)
    assert answer.status == 412
    # Also a change of nothing, which would write nothing, and a reading.
    assert (await client.request("PATCH", place, {}, headers=headers)).status == 412
    assert (await client.request("GET", place, headers=headers)).status == 412
    assert (await client.get(place))["title"] == "Tea"


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("value", ["", "abc", '"a" "b"', '"a', "*, *", 'w/"a"', '"a" b'])
async def test_a_condition_that_is_no_tag_is_422(
    client: ApiClient, header: str, value: str
) -> None:
    place = await create(client, "/notes/{note_id}")
    changes: list[tuple[str, JsonValue]] = [("GET", None), ("PATCH", {"title": "x"})]
    for method, body in changes:
        answer = await client.request(method, place, body, headers={header: value})
        assert answer.status == 422, (method, answer.document)
        assert header in str(answer.document["errors"])
    assert (await client.get(place))["title"] == "Tea"


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
async def test_a_long_condition_is_read_at_once(client: ApiClient, header: str) -> None:
    place = await create(client, "/notes/{note_id}")
    # Each of these took a time that doubled with each comma.
    for value in ('"a"' + ",  " * 2000 + "x", '"a"' + ' , "b"' * 1000 + " x", "," * 5000):
        answer = await client.request("GET", place, headers={header: value})
        assert answer.status == 422, value[:20]
    many = ",  ".join(f'"{number}"' for number in range(900))
    assert (await client.request("PATCH", place, {}, headers={"If-Match": many})).status == 412


async def test_a_star_means_any_object(client: ApiClient) -> None:
    place = await create(client, "/notes/{note_id}")
    refused = await client.request("DELETE", place, headers={"If-None-Match": "*"})
    assert refused.status == 412
    assert (await client.request("DELETE", place, headers={"If-Match": "*"})).status == 204
    assert (await client.request("DELETE", place, headers={"If-Match": "*"})).status == 404


async def test_a_condition_that_a_route_cannot_test_is_refused(client: ApiClient) -> None:
    answer = await client.request(
        "POST", "/notes", {"title": "x"}, headers={"If-Match": '"other"'}
    )
    assert answer.status == 412
    assert "leave both out" in str(answer.document["detail"])
    assert (await client.get("/notes"))["data"] == []


async def test_the_object_of_another_user_is_404_with_any_condition(
    client: ApiClient, open_client: MakeClient
) -> None:
    place = await create(client, "/notes/{note_id}")
    tag = (await client.request("GET", place)).headers["ETag"]
    stranger = await open_client("bob")
    for headers in ({"If-Match": tag}, {"If-Match": "*"}, {"If-None-Match": tag}):
        for method in ("GET", "PATCH", "DELETE"):
            body: JsonValue = {"title": "x"} if method == "PATCH" else None
            answer = await stranger.request(method, place, body, headers=headers)
            assert answer.status == 404, (method, headers)


async def test_a_client_that_prefers_little_gets_no_content(client: ApiClient) -> None:
    prefer = {"Prefer": "respond-async, return=minimal"}
    created = await client.request("POST", "/notes", {"title": "Tea"}, headers=prefer)
    assert (created.status, created.document) == (201, {})
    assert created.headers["Preference-Applied"] == "return=minimal"
    place = created.headers["Location"].removeprefix("/api/v1")
    read = await client.request("GET", place, headers=prefer)
    assert read.document["title"] == "Tea"
    assert created.headers["ETag"] == read.headers["ETag"]
    changed = await client.request("PATCH", place, {"title": "Milk"}, headers=prefer)
    assert (changed.status, changed.document) == (204, {})
    for other in ("return=representation", "x=return=minimal", "return=minimally"):
        answer = await client.request("PATCH", place, {}, headers={"Prefer": other})
        assert answer.document["title"] == "Milk", other


@pytest.mark.parametrize("path", ["/keys/create", "/webhooks/outgoing/register"])
async def test_a_secret_is_shown_to_a_client_that_prefers_little(
    client: ApiClient, path: str
) -> None:
    body: JsonValue = (
        {"name": "x"} if path == "/keys/create" else {"url": "https://example.com/hook"}
    )
    answer = await client.request("POST", path, body, headers={"Prefer": "return=minimal"})
    assert answer.status == 201
    assert answer.document.keys() & {"key", "secret"}
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_replayed_answer_has_the_tag_of_the_first(client: ApiClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = await client.request("POST", "/notes", {"title": "Tea"}, headers=headers)
    again = await client.request("POST", "/notes", {"title": "Tea"}, headers=headers)
    assert again.headers["ETag"] == first.headers["ETag"]
    assert re.fullmatch(r'"[\w-]{12}"', first.headers["ETag"])
