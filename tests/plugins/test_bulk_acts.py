"""Acts on many notes and tasks: count first, then delete or tag as an operation."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import JsonValue

from biont.testing import ApiAnswer, ApiClient, MakeClient, ManualClock, rows_of


async def act(client: ApiClient, path: str, body: JsonValue) -> dict[str, Any]:
    """Begin an act, wait for its end, and return the operation."""
    answer = await client.request("POST", path, body)
    assert answer.status == 202, answer.document
    place = answer.headers["Location"].removeprefix("/api/v1")
    return await client.get_until(place, lambda found: found["status"] != "running")


async def count(client: ApiClient, path: str, body: dict[str, JsonValue]) -> JsonValue:
    """Return the number of rows that an act would change."""
    answer: ApiAnswer = await client.request("POST", path, {**body, "dry_run": True})
    assert answer.status == 202, answer.document
    assert "Location" not in answer.headers
    return answer.document["count"]


async def list_titles(client: ApiClient, path: str) -> list[JsonValue]:
    return [row["title"] for row in rows_of(await client.get(f"{path}?limit=1000"))]


@pytest.fixture
async def notes(client: ApiClient, clock: ManualClock) -> list[int]:
    """Six notes, a minute after each other; every second one has the tag `draft`."""
    ids = []
    for number in range(6):
        tags: JsonValue = ["draft", "tea"] if number % 2 else ["tea"]
        made = await client.post("/notes", {"title": f"note {number}", "tags": tags})
        ids.append(int(str(made["id"])))
        clock.advance(minutes=1)
    return ids


@pytest.mark.usefixtures("notes")
async def test_notes_with_a_tag_are_counted_then_deleted(
    client: ApiClient, open_client: MakeClient
) -> None:
    other = await open_client("bob")
    await other.post("/notes", {"title": "of bob", "tags": ["draft"]})
    assert await count(client, "/notes/delete", {"tag": "draft"}) == 3
    assert len(await list_titles(client, "/notes")) == 6
    done = await act(client, "/notes/delete", {"tag": "draft"})
    assert (done["kind"], done["status"], done["done"]) == ("note_delete", "done", 3)
    assert await list_titles(client, "/notes") == ["note 4", "note 2", "note 0"]
    assert await list_titles(other, "/notes") == ["of bob"]
    assert (await client.get("/notes/search?q=note"))["data"] != []
    assert await count(client, "/notes/delete", {"tag": "draft"}) == 0


async def test_notes_are_chosen_by_time_and_by_id(client: ApiClient, notes: list[int]) -> None:
    rows = rows_of(await client.get("/notes"))
    third = str(rows[3]["created_at"])
    assert await count(client, "/notes/delete", {"since": third}) == 4
    assert await count(client, "/notes/delete", {"until": third}) == 2
    assert await count(client, "/notes/delete", {"until": third, "tag": "draft"}) == 1
    assert await count(client, "/notes/delete", {"ids": [notes[0], notes[5], 999]}) == 2
    done = await act(client, "/notes/delete", {"ids": [notes[0], notes[5], 999]})
    assert done["done"] == 2
    assert await list_titles(client, "/notes") == ["note 4", "note 3", "note 2", "note 1"]


async def test_tags_are_added_and_removed_and_each_change_is_a_version(
    client: ApiClient, notes: list[int]
) -> None:
    body: dict[str, JsonValue] = {"tag": "draft", "add": ["done", "tea"], "remove": ["draft"]}
    assert await count(client, "/notes/tag", body) == 3
    done = await act(client, "/notes/tag", body)
    assert (done["kind"], done["done"]) == ("note_tag", 3)
    note = await client.get(f"/notes/{notes[1]}")
    assert (note["tags"], note["version"]) == (["tea", "done"], 2)
    assert (await client.get(f"/notes/{notes[0]}"))["version"] == 1
    again = await act(client, "/notes/tag", {"tag": "done", "add": ["tea"]})
    assert (again["done"], again["skipped"]) == (0, 3)


async def test_a_note_with_too_many_tags_stays_as_it_is(client: ApiClient) -> None:
    tags: JsonValue = [f"tag {number}" for number in range(20)]
    full = await client.post("/notes", {"title": "full", "tags": tags})
    await client.post("/notes", {"title": "free", "tags": ["tag 1"]})
    done = await act(client, "/notes/tag", {"tag": "tag 1", "add": ["one more"]})
    assert (done["done"], done["failed"]) == (1, 1)
    assert (await client.get(f"/notes/{full['id']}"))["tags"] == tags
    # Another tag in the place of one is not too many.
    body: JsonValue = {"tag": "tag 2", "add": ["one more"], "remove": ["tag 3"]}
    assert (await act(client, "/notes/tag", body))["done"] == 1


async def test_many_notes_are_worked_off_in_parts(client: ApiClient) -> None:
    for number in range(600):
        tags: JsonValue = ["x"] if number % 3 else []
        await client.post("/notes", {"title": str(number), "tags": tags})
    assert await count(client, "/notes/delete", {"tag": "x"}) == 400
    assert (await act(client, "/notes/delete", {"tag": "x"}))["done"] == 400
    assert len(await list_titles(client, "/notes")) == 200


async def test_tasks_are_deleted_by_status_except_those_of_missions(
    client: ApiClient, open_client: MakeClient
) -> None:
    other = await open_client("bob")
    for each in (client, other):
        first = await each.post("/tasks", {"title": "done"})
        await each.post(f"/tasks/{first['id']}/complete", {"result": "x"})
        await each.post("/tasks", {"title": "open"})
    chosen: dict[str, JsonValue] = {"status": ["completed", "failed"]}
    assert await count(client, "/tasks/delete", chosen) == 1
    done = await act(client, "/tasks/delete", chosen)
    assert (done["kind"], done["done"]) == ("task_delete", 1)
    assert await list_titles(client, "/tasks") == ["open"]
    assert len(await list_titles(other, "/tasks")) == 2


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize("path", ["/notes/delete", "/notes/tag", "/tasks/delete"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"dry_run": True},
        {"ids": []},
        {"ids": [0]},
        {"since": "yesterday"},
        {"tag": None, "status": None},
        {"unknown": 1, "ids": [1]},
    ],
)
async def test_an_act_without_a_choice_is_422(
    client: ApiClient, path: str, body: dict[str, JsonValue]
) -> None:
    if path == "/notes/tag":
        body = {**body, "add": ["x"]}
    assert (await client.request("POST", path, body)).status == 422
    assert len(await list_titles(client, "/notes")) == 6


async def test_tags_to_change_are_needed(client: ApiClient) -> None:
    answer = await client.request("POST", "/notes/tag", {"tag": "x"})
    assert (answer.status, "add" in str(answer.document)) == (422, True)


@pytest.mark.usefixtures("notes")
async def test_an_act_with_an_idempotency_key_begins_one_operation(client: ApiClient) -> None:
    answers = [
        await client.request(
            "POST", "/notes/delete", {"tag": "draft"}, headers={"Idempotency-Key": "k"}
        )
        for _ in range(2)
    ]
    assert answers[0].document == answers[1].document
    assert len(rows_of(await client.get("/operations"))) == 1
