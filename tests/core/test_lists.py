"""Lists: times, order and chosen fields, on each list that has them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from pydantic import JsonValue

from biont.application import Application
from biont.testing import ApiClient, MakeClient, ManualClock, ModelServer, rows_of


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    return scripted.sections


def list_parameters(application: Application) -> dict[str, set[str]]:
    """Return the names of the query parameters of each list."""
    document: dict[str, Any] = orjson.loads(application.openapi)
    shared = document["components"]["parameters"]
    return {
        path: {shared.get(each.get("$ref", "").rpartition("/")[2], each)["name"] for each in found}
        for path, methods in document["paths"].items()
        if "get" in methods and "cursor" in str(found := methods["get"]["parameters"])
    }


async def test_each_list_that_has_a_time_takes_since_and_until(application: Application) -> None:
    found = list_parameters(application)
    timeless = {
        "/api/v1/event-types",
        "/api/v1/conversations/search",
        "/api/v1/notes/search",
        "/api/v1/webhooks/outgoing/explain",
    }
    for path in found.keys() - timeless:
        assert found[path] & {"since", "from"}, path
        assert "until" in found[path], path
    assert "/api/v1/notes" in found


async def fill_each_list(client: ApiClient, clock: ManualClock) -> dict[str, str]:
    """Make five rows in each of many lists, a minute after each other; return their paths."""
    webhook: JsonValue = {"url": "http://127.0.0.1:9/", "event_types": ["custom_*"]}
    chat = await client.post("/chat", {"message": "Hello"})
    note = await client.post("/notes", {"title": "first"})
    schedule = await client.post("/schedule", {"at": "2030-01-01T00:00:00Z", "prompt": "x"})
    for number in range(5):
        clock.advance(minutes=1)
        await client.post("/notes", {"title": f"note {number}", "tags": ["tea"]})
        await client.request("PATCH", f"/notes/{note['id']}", {"title": f"title {number}"})
        await client.post("/tasks", {"title": "x"})
        await client.post("/missions", {"goal": "x", "start": False})
        await client.post("/reminders", {"text": "x", "every": 3600})
        await client.post("/schedule", {"every": 3600, "prompt": "x"})
        await client.post("/webhooks/outgoing/register", webhook)
        await client.post("/chat", {"message": "x"})
        await client.post("/chat", {"message": "x", "conversation_id": chat["conversation_id"]})
        await client.post(f"/schedule/{schedule['id']}/run-now")
    # Each run leaves a note.
    await client.get_until("/notes?fields=source", lambda page: str(page).count("run-") == 5)
    return {
        "/notes": "created_at",
        "/notes?tag=tea": "created_at",
        f"/notes/{note['id']}/versions": "created_at",
        "/tasks": "created_at",
        "/tasks?status=pending&status=waiting": "created_at",
        "/missions": "created_at",
        "/missions?status=draft": "created_at",
        "/reminders": "created_at",
        "/schedule": "created_at",
        f"/schedule/{schedule['id']}/runs": "claimed_at",
        "/webhooks/outgoing": "created_at",
        "/conversations": "created_at",
        f"/conversations/{chat['conversation_id']}/messages": "created_at",
        "/usage/calls": "created_at",
    }


async def read_all(client: ApiClient, path: str, query: str) -> list[dict[str, Any]]:
    """Return all rows of a list, read in pages of two."""
    rows: list[dict[str, Any]] = []
    url = f"{path}{'&' if '?' in path else '?'}limit=2&{query}"
    cursor: object = ""
    while cursor is not None:
        page = await client.get(f"{url}&cursor={cursor}" if cursor else url)
        rows += rows_of(page)
        cursor = page["next"]
    return rows


async def test_lists_are_cut_by_time_and_read_in_both_orders(
    client: ApiClient, open_client: MakeClient, clock: ManualClock
) -> None:
    other = await open_client("bob")
    await other.post("/notes", {"title": "of another user", "tags": ["tea"]})
    lists = await fill_each_list(client, clock)
    for path, name in lists.items():
        newest = await read_all(client, path, "sort=-created_at")
        assert len(newest) >= 5, path
        oldest = await read_all(client, path, "sort=created_at")
        assert oldest == newest[::-1], path
        times = [datetime.fromisoformat(row[name]) for row in newest]
        assert times == sorted(times, reverse=True), path
        since, until = times[-2], times[1]
        window = f"since={to_text(since)}&until={to_text(until)}"
        for order, rows in (("-created_at", newest), ("created_at", oldest)):
            found = await read_all(client, path, f"sort={order}&{window}")
            expected = [row for row in rows if since <= datetime.fromisoformat(row[name]) < until]
            assert found == expected, (path, order)
        late = to_text(times[0] + timedelta(seconds=1))
        assert await read_all(client, path, f"since={late}") == []
        assert await read_all(client, path, f"until={to_text(times[-1])}") == []
        assert await read_all(client, path, f"until={late}") == newest


def to_text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def test_time_limits_hold_where_ids_are_missing(
    client: ApiClient, clock: ManualClock
) -> None:
    ids = []
    for _ in range(40):
        clock.advance(seconds=1)
        ids.append((await client.post("/notes", {"title": "x"}))["id"])
    for note_id in ids[5:35:2] + ids[10:20:2]:
        await client.request("DELETE", f"/notes/{note_id}")
    left = await read_all(client, "/notes", "")
    for row in left:
        at = to_text(datetime.fromisoformat(row["created_at"]))
        after = await read_all(client, "/notes", f"since={at}")
        before = await read_all(client, "/notes", f"until={at}")
        assert after + before == left


@pytest.mark.parametrize("query", ["sort=title", "since=yesterday", "until=2026-01-01", "sort="])
async def test_a_wrong_order_or_time_is_422(client: ApiClient, query: str) -> None:
    answer = await client.request("GET", f"/notes?{query}")
    assert answer.status == 422
    assert query.partition("=")[0] in str(answer.document["errors"])


async def test_an_answer_has_the_chosen_fields_alone(client: ApiClient) -> None:
    note = await client.post("/notes", {"title": "Tea", "content": "green " * 100})
    await client.post("/notes", {"title": "Milk"})
    assert await client.get(f"/notes/{note['id']}?fields=title,id") == {
        "id": note["id"],
        "title": "Tea",
    }
    page = await client.get("/notes?limit=1&fields=title")
    assert page["data"] == [{"title": "Milk"}]
    assert page["next"] is not None
    answer = await client.request("GET", "/notes?limit=1&fields=title")
    assert "fields=title" in re.sub("%2C", ",", answer.headers["Link"])
    tagged = await client.request("GET", f"/notes/{note['id']}?fields=title")
    whole = await client.request("GET", f"/notes/{note['id']}")
    assert tagged.headers["ETag"] != whole.headers["ETag"]
    match = {"If-Match": tagged.headers["ETag"]}
    changed = await client.request("PATCH", f"/notes/{note['id']}", {"title": "x"}, headers=match)
    assert changed.status == 200


@pytest.mark.parametrize(
    "query", ["fields=", "fields=unknown", "fields=id,", "fields=id&fields=title", "fields=id.x"]
)
async def test_a_field_that_an_answer_does_not_have_is_422(client: ApiClient, query: str) -> None:
    answer = await client.request("GET", f"/notes?{query}")
    assert answer.status == 422
    assert "fields" in str(answer.document["errors"])


async def test_no_change_takes_fields(client: ApiClient) -> None:
    answer = await client.request("POST", "/notes?fields=id", {"title": "x"})
    assert answer.status == 422
