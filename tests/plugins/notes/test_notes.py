from __future__ import annotations

import pytest

from biont.testing import ApiClient, ManualClock


async def test_a_note_is_created_read_changed_and_deleted(
    client: ApiClient, clock: ManualClock
) -> None:
    note = await client.post("/notes", {"title": "Plan", "content": "first"})
    assert note["source"] is None
    clock.advance(minutes=1)
    status, changed = await client.ask("PATCH", f"/notes/{note['id']}", {"content": "second"})
    assert status == 200
    assert (changed["title"], changed["content"]) == ("Plan", "second")
    assert str(changed["updated_at"]) > str(changed["created_at"])
    assert await client.get(f"/notes/{note['id']}") == changed
    assert (await client.ask("DELETE", f"/notes/{note['id']}"))[0] == 204
    assert (await client.ask("GET", f"/notes/{note['id']}"))[0] == 404
    assert (await client.ask("DELETE", f"/notes/{note['id']}"))[0] == 404


async def test_a_note_and_its_event_are_written_together(client: ApiClient) -> None:
    note = await client.post("/notes", {"title": "Plan"})
    page = await client.get_until("/events?event_type=note_created", lambda page: page["data"])
    data = page["data"]
    assert isinstance(data, list)
    assert isinstance(data[0], dict)
    assert data[0]["payload"] == {
        "note_id": note["id"],
        "title": "Plan",
        "tags": [],
        "source": None,
    }


@pytest.mark.parametrize("text", ["Grüße 🐙", "'; DROP TABLE notes; --", "\x00\x7f", "\u202egnp"])
async def test_the_content_of_a_note_is_stored_unchanged(client: ApiClient, text: str) -> None:
    note = await client.post("/notes", {"title": text, "content": text})
    kept = await client.get(f"/notes/{note['id']}")
    assert (kept["title"], kept["content"]) == (text, text)


async def test_an_empty_change_makes_no_version(client: ApiClient) -> None:
    note = await client.post("/notes", {"title": "Plan", "content": "text"})
    _, changed = await client.ask("PATCH", f"/notes/{note['id']}", {})
    assert (changed["title"], changed["content"]) == ("Plan", "text")
