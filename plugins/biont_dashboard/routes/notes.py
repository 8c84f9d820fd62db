"""Routes of the pages of notes."""

from __future__ import annotations

import asyncio
import difflib
from typing import Annotated

from aiohttp import web
from pydantic import Field, JsonValue

from biont import Request, RowId
from biont_dashboard.dialect import make_api
from biont_dashboard.page import open_page
from biont_dashboard.visit import list_rows

api = make_api()

Text = Annotated[str, Field(max_length=500)]

_ROWS = 50
_CONTEXT = 3


@api.get("/dashboard/notes")
async def show_notes(request: Request, q: Text = "", tag: Text = "") -> web.Response:
    """Show the notes, or those that match words or a tag."""
    page = await open_page(request, plugin="notes")
    path = "/api/v1/notes/search" if q.strip() else "/api/v1/notes"
    listing, tags = await asyncio.gather(
        page.read_list(path, q=q.strip() or None, tag=tag or None, limit=_ROWS),
        page.read("/api/v1/notes/tags"),
    )
    return await page.render(
        "notes/list.html",
        panels_of="notes",
        listing=listing,
        tags=list_rows(tags),
        query=q,
        tag=tag,
        api_path=path,
    )


@api.get("/dashboard/notes/new")
async def show_new_note(request: Request) -> web.Response:
    """Show the form of a new note."""
    page = await open_page(request, plugin="notes")
    return await page.render("notes/edit.html", note=None)


@api.get("/dashboard/notes/{note_id}")
async def show_note(request: Request, note_id: RowId) -> web.Response:
    """Show a note, with its versions and its origin."""
    page = await open_page(request, plugin="notes")
    path = f"/api/v1/notes/{note_id}"
    note, versions = await asyncio.gather(page.read(path), page.read_rows(f"{path}/versions"))
    return await page.render(
        "notes/note.html",
        panels_of="note",
        note=note,
        versions=versions,
        source_href=find_source(note["source_url"]),
    )


@api.get("/dashboard/notes/{note_id}/edit")
async def show_note_form(request: Request, note_id: RowId) -> web.Response:
    """Show the form that changes a note."""
    page = await open_page(request, plugin="notes")
    note = await page.read(f"/api/v1/notes/{note_id}")
    return await page.render("notes/edit.html", note=note)


@api.get("/dashboard/notes/{note_id}/versions/{version}")
async def show_note_version(request: Request, note_id: RowId, version: RowId) -> web.Response:
    """Show an earlier version of a note, and the difference to the present text."""
    page = await open_page(request, plugin="notes")
    path = f"/api/v1/notes/{note_id}"
    note, old = await asyncio.gather(page.read(path), page.read(f"{path}/versions/{version}"))
    lines = difflib.unified_diff(
        str(old["content"]).splitlines(),
        str(note["content"]).splitlines(),
        f"version {version}",
        f"version {note['version']}",
        lineterm="",
        n=_CONTEXT,
    )
    return await page.render("notes/version.html", note=note, old=old, lines=list(lines))


def find_source(url: JsonValue) -> str | None:
    """Return the page of the object that has made a note; None for an object without a page."""
    parts = str(url or "").removeprefix("/api/v1/").removeprefix("webhooks/").split("/")
    pages = {
        "schedule": "schedules",
        "missions": "missions",
        "conversations": "chat",
        "incoming": "inbound",
    }
    if len(parts) > 1 and parts[0] in pages and parts[1].isdecimal():
        return f"/dashboard/{pages[parts[0]]}/{'/'.join(parts[1:])}"
    return None
