"""Notes: search, tags, earlier versions and export."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import aiohttp
import orjson
import pytest
import yaml
from pydantic import JsonValue

from biont.testing import ApiClient, MakeClient, ManualClock, rows_of


async def download(client: ApiClient, path: str, accept: str = "*/*") -> tuple[str, bytes]:
    async with (
        aiohttp.ClientSession(headers=client.headers) as session,  # noqa: TID251  # our own server
        session.get(f"{client.url}/api/v1{path}", headers={"Accept": accept}) as response,
    ):
        assert response.status == 200
        return response.content_type, await response.read()


async def test_search_finds_notes_by_words_the_best_match_first(open_client: MakeClient) -> None:
    client, other = await open_client("ada"), await open_client("eve")
    await client.post("/notes", {"title": "Shopping", "content": "Bread, butter, a new Plan"})
    await client.post("/notes", {"title": "The plan", "content": "Run away to Brasília"})
    await client.post("/notes", {"title": "Unrelated", "content": "Nothing"})
    await other.post("/notes", {"title": "A secret plan"})
    found = await client.get("/notes/search?q=PLAN")
    assert [hit["title"] for hit in rows_of(found)] == ["The plan", "Shopping"]
    assert rows_of(found)[1]["excerpt"] == [
        {"text": "Bread, butter, a new ", "match": False},
        {"text": "Plan", "match": True},
    ]
    for query, title in (
        ("brasilia", "The plan"),
        ("butt*", "Shopping"),
        ('"new plan"', "Shopping"),
    ):
        hits = rows_of(await client.get(f"/notes/search?q={query}"))
        assert [hit["title"] for hit in hits] == [title]
    for query in ("plan nothing", '"plan new"', "OR", "NEAR(", '"', "plan AND", "*", "^-:"):
        assert rows_of(await client.get(f"/notes/search?q={query}")) == []


async def test_search_follows_changes_and_returns_pages(client: ApiClient) -> None:
    notes = [await client.post("/notes", {"title": f"plan {n}"}) for n in range(5)]
    await client.ask("PATCH", f"/notes/{notes[0]['id']}", {"title": "idea"})
    await client.ask("DELETE", f"/notes/{notes[1]['id']}")
    seen: list[JsonValue] = []
    path: str | None = "/notes/search?q=plan&limit=2"
    while path:
        page = await client.get(path)
        seen += [hit["title"] for hit in rows_of(page)]
        path = page["next"] and f"/notes/search?q=plan&limit=2&cursor={page['next']}"  # type: ignore[assignment]
    assert seen == ["plan 4", "plan 3", "plan 2"]


async def test_tags_are_counted_and_filter_lists_and_searches(open_client: MakeClient) -> None:
    client, other = await open_client("ada"), await open_client("eve")
    first = await client.post("/notes", {"title": "plan a", "tags": ["work", "home", "work"]})
    await client.post("/notes", {"title": "plan b", "tags": ["work"]})
    await other.post("/notes", {"title": "plan c", "tags": ["work"]})
    assert first["tags"] == ["work", "home"]
    tags = rows_of(await client.get("/notes/tags"))
    assert str(tags) == "[{'tag': 'work', 'notes': 2}, {'tag': 'home', 'notes': 1}]"
    assert [note["title"] for note in rows_of(await client.get("/notes?tag=work"))] == [
        "plan b",
        "plan a",
    ]
    await client.ask("PATCH", f"/notes/{first['id']}", {"tags": ["garden"]})
    assert len(rows_of(await client.get("/notes?tag=work"))) == 1
    found = rows_of(await client.get("/notes/search?q=plan&tag=garden"))
    assert [hit["title"] for hit in found] == ["plan a"]


@pytest.mark.parametrize("tags", [[""], ["a,b"], [" a"], ["x" * 51], [f"t{n}" for n in range(21)]])
async def test_an_invalid_tag_is_refused(client: ApiClient, tags: list[str]) -> None:
    assert (await client.ask("POST", "/notes", {"title": "x", "tags": list(tags)}))[0] == 422


async def test_earlier_versions_of_a_note_can_be_read(
    open_client: MakeClient, clock: ManualClock
) -> None:
    client, other = await open_client("ada"), await open_client("eve")
    note = await client.post("/notes", {"title": "Plan", "content": "first", "tags": ["a"]})
    path = f"/notes/{note['id']}"
    clock.advance(minutes=1)
    await client.ask("PATCH", path, {"content": "second", "tags": []})
    await client.ask("PATCH", path, {"content": "second"})
    await client.ask("PATCH", path, {"title": "Done"})
    assert (await client.get(path))["version"] == 3
    earlier = rows_of(await client.get(f"{path}/versions"))
    assert [(row["version"], row["title"], row["content"]) for row in earlier] == [
        (2, "Plan", "second"),
        (1, "Plan", "first"),
    ]
    assert earlier[1]["created_at"] == note["created_at"]
    assert await client.get(f"{path}/versions/1") == earlier[1]
    assert (await client.ask("GET", f"{path}/versions/3"))[0] == 404
    assert (await other.ask("GET", f"{path}/versions"))[0] == 404


async def test_only_the_last_hundred_versions_are_kept(client: ApiClient) -> None:
    note = await client.post("/notes", {"title": "0"})
    path = f"/notes/{note['id']}"
    for number in range(1, 104):
        await client.ask("PATCH", path, {"title": str(number)})
    kept = rows_of(await client.get(f"{path}/versions?limit=1000"))
    assert [kept[0]["title"], kept[-1]["title"], len(kept)] == ["102", "3", 100]


async def test_all_notes_are_exported(open_client: MakeClient) -> None:
    client, other = await open_client("ada"), await open_client("eve")
    note = await client.post(
        "/notes", {"title": "A: b", "content": "# Grüße\n\n- one", "tags": ["x"]}
    )
    await client.post("/notes", {"title": "second"})
    await other.post("/notes", {"title": "eve's"})
    media_type, lines = await download(client, "/notes/export")
    assert media_type == "application/x-ndjson"
    exported = [orjson.loads(line) for line in lines.splitlines()]
    assert [line["title"] for line in exported] == ["A: b", "second"]
    assert exported[0] == note
    # For generated clients, which read no other media type.
    assert await download(client, "/notes/export", "application/octet-stream") == (
        "application/octet-stream",
        lines,
    )
    media_type, archive = await download(client, "/notes/export?format=markdown")
    assert media_type == "application/zip"
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        assert files.namelist() == [f"note-{line['id']}.md" for line in exported]
        text = files.read(f"note-{note['id']}.md").decode()
    _, head, content = text.split("---\n", 2)
    assert content == "# Grüße\n\n- one"
    assert yaml.safe_load(head)["tags"] == ["x"]
    media_type, markdown = await download(client, f"/notes/{note['id']}/markdown")
    assert (media_type, markdown.decode()) == ("text/markdown", text)


async def test_openapi_lists_all_media_types_of_an_export(open_client: MakeClient) -> None:
    document: Any = await (await open_client(None)).get("/openapi.json")
    success = document["paths"]["/api/v1/notes/export"]["get"]["responses"]["200"]
    assert set(success["content"]) == {
        "application/x-ndjson",
        "application/zip",
        "application/octet-stream",
    }
