"""The routes of notes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import IO, Annotated

from aiohttp import web
from pydantic import Field

from biont import Api, Page, Request, RowId
from biont.http import Cursor, Limit, decode_cursor, make_page
from biont_notes.export import Format, to_markdown, write_export
from biont_notes.notes import (
    change_note,
    create_note,
    delete_note,
    get_version,
    select_notes,
    select_versions,
)
from biont_notes.search import count_tags, search_notes
from biont_notes.tables import Note
from biont_notes.views import (
    HitView,
    NewNote,
    NoteChange,
    NoteView,
    Tag,
    TagView,
    VersionView,
    show_hit,
    show_note,
    show_version,
)

_CHUNK = 64 * 1024
_FILES = {
    Format.JSONL: ("application/x-ndjson", "notes.jsonl"),
    Format.MARKDOWN: ("application/zip", "notes.zip"),
}

api = Api("notes")


@api.post("/notes")
async def create(request: Request, body: NewNote) -> NoteView:
    """Keep a note."""
    note = await request.workbench.store.transact(
        create_note,
        request.user_id,
        title=body.title,
        content=body.content,
        tags=body.tags,
        now=request.workbench.clock.now(),
    )
    return show_note(note)


@api.get("/notes")
async def list_notes(
    request: Request, tag: Tag | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Page[NoteView]:
    """List your notes, or those with a tag, the newest first."""
    rows = await request.workbench.store.read(
        select_notes, request.user_id, tag, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda note: note.id, show_note)


@api.get("/notes/search")
async def search(
    request: Request,
    q: Annotated[
        str,
        Field(
            min_length=1,
            max_length=500,
            description='Words, all of which occur; `plan*` begins so, `"to do"` is in a row.',
        ),
    ],
    tag: Tag | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[HitView]:
    """Find notes by their words, the best first."""
    offset = decode_cursor(cursor) or 0
    hits = await request.workbench.store.read(
        search_notes, request.user_id, q, tag=tag, limit=limit + 1, offset=offset
    )
    places = list(enumerate(hits, start=offset + 1))
    return make_page(places, limit, lambda place: place[0], lambda place: show_hit(place[1]))


@api.get("/notes/tags")
async def list_tags(request: Request) -> list[TagView]:
    """List the tags of your notes, the most used first, at most 1000."""
    counted = await request.workbench.store.read(count_tags, request.user_id)
    return [TagView(tag=tag, notes=count) for tag, count in counted]


@api.get("/notes/export", media_type=("application/x-ndjson", "application/zip"))
async def export(request: Request, format: Format = Format.JSONL) -> web.StreamResponse:  # noqa: A002  # the parameter's name in the query
    """Return all your notes, the oldest first, as lines of JSON or a ZIP of Markdown files."""
    media_type, name = _FILES[format]
    file = await request.workbench.store.read(write_export, request.user_id, format)
    return web.Response(
        body=_read_chunks(file),
        content_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@api.get("/notes/{note_id}")
async def read_note(request: Request, note_id: RowId) -> NoteView:
    """Read a note."""
    return show_note(await request.workbench.store.read(Note.get_owned, request.user_id, note_id))


@api.get("/notes/{note_id}/markdown", media_type="text/markdown")
async def read_markdown(request: Request, note_id: RowId) -> web.Response:
    """Read a note as Markdown, its data before it as YAML."""
    note = await request.workbench.store.read(Note.get_owned, request.user_id, note_id)
    return web.Response(text=to_markdown(note), content_type="text/markdown", charset="utf-8")


@api.patch("/notes/{note_id}")
async def change(request: Request, note_id: RowId, body: NoteChange) -> NoteView:
    """Change a note; what it was stays as an earlier version."""
    return show_note(
        await request.workbench.store.write(
            change_note,
            request.user_id,
            note_id,
            body.list_columns(),
            request.workbench.clock.now(),
        )
    )


@api.delete("/notes/{note_id}")
async def delete(request: Request, note_id: RowId) -> None:
    """Delete a note with its versions."""
    await request.workbench.store.write(delete_note, request.user_id, note_id)


@api.get("/notes/{note_id}/versions")
async def list_versions(
    request: Request, note_id: RowId, limit: Limit = 100, cursor: Cursor = None
) -> Page[VersionView]:
    """List what a note was before its last 100 changes, the latest first."""
    rows = await request.workbench.store.read(
        select_versions, request.user_id, note_id, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda version: version.version, show_version)


@api.get("/notes/{note_id}/versions/{version}")
async def read_version(request: Request, note_id: RowId, version: RowId) -> VersionView:
    """Read what a note was before a change."""
    return show_version(
        await request.workbench.store.read(get_version, request.user_id, note_id, version)
    )


async def _read_chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk
