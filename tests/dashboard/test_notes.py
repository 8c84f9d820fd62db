"""Pages of notes: Markdown without markup of its author, search, versions, edits of two tabs."""

from __future__ import annotations

from support.visitor import Visitor

from biont.testing import ApiClient

HOSTILE = """# Plan

<script>alert(1)</script> <img src=x onerror=alert(2)>

[a](javascript:alert(3)) [b](data:text/html,x) **bold**
"""


async def test_markdown_is_shown_without_markup_of_its_author(
    visitor: Visitor, client: ApiClient
) -> None:
    await client.post("/notes", {"title": "<b>Plan</b>", "content": HOSTILE, "tags": ["a<i>"]})
    for path in ("/dashboard/notes", "/dashboard/notes/1", "/dashboard/notes/1/edit"):
        text = (await visitor.open(path)).text
        for wrong in (
            "<script>alert",
            "<img src=x",
            'href="javascript:',
            'href="data:text',
            "<b>Plan",
        ):
            assert wrong not in text, path
    text = (await visitor.open("/dashboard/notes/1")).text
    assert "<strong>bold</strong>" in text
    assert "&lt;script&gt;alert(1)" in text


async def test_note_is_written_searched_and_deleted(visitor: Visitor, client: ApiClient) -> None:
    form = await visitor.open("/dashboard/notes/new")
    fields = {
        "body.title": "Bread",
        "body.content": "rye flour",
        "body.tags:commas": "at home, food",
    }
    screen = await visitor.press(form, "Keep note", **fields)
    assert screen.path == "/dashboard/notes/1"
    assert (await client.get("/notes/1"))["tags"] == ["at home", "food"]
    found = await visitor.open("/dashboard/notes?q=flour")
    assert "rye <mark>flour</mark>" in found.text
    assert "No note matches" in (await visitor.open("/dashboard/notes?q=wheat")).text
    assert "Bread" in (await visitor.open("/dashboard/notes?tag=food")).text
    screen = await visitor.press(screen, "Delete note")
    assert screen.path == "/dashboard/notes"
    assert (await visitor.open("/dashboard/notes/1")).status == 404


async def test_second_of_two_tabs_loses_nothing(visitor: Visitor, client: ApiClient) -> None:
    await client.post("/notes", {"title": "Bread", "content": "one"})
    first = await visitor.open("/dashboard/notes/1/edit")
    second = await visitor.open("/dashboard/notes/1/edit")
    await visitor.press(first, "Save note", **{"body.content": "two"})
    refused = await visitor.press(second, "Save note", **{"body.content": "three"})
    assert refused.status == 412
    assert (await client.get("/notes/1"))["content"] == "two"


async def test_version_shows_its_difference_and_comes_back(
    visitor: Visitor, client: ApiClient
) -> None:
    await client.post("/notes", {"title": "Bread", "content": "one\nkept"})
    await client.ask("PATCH", "/notes/1", {"content": "two\nkept"})
    version = await visitor.open("/dashboard/notes/1/versions/1")
    assert ">-one" in version.text
    assert ">+two" in version.text
    await visitor.press(version, "Bring this version back")
    assert (await client.get("/notes/1"))["content"] == "one\nkept"
