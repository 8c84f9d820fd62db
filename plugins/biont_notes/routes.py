"""REST routes of notes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import IO, Annotated

from aiohttp import hdrs, web
from pydantic import Field

from biont import Api, Page, Request, RowId
from biont.http import Cursor, Header, Limit, ListQuery, decode_cursor, make_page
from biont.operations import OperationView, RowCount, begin_act
from biont_notes.bulk_acts import NOTE_DELETE, NOTE_TAG, NoteSelection, NoteTagging
from biont_notes.export import Format, to_markdown, write_export
from biont_notes.notes import (
    change_note,
    create_note,
    delete_note,
    load_version,
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
    make_hit_view,
    make_note_view,
    make_version_view,
)

_CHUNK = 64 * 1024
_BYTES = "application/octet-stream"
_FILES = {
    Format.JSONL: ("application/x-ndjson", "notes.jsonl"),
    Format.MARKDOWN: ("application/zip", "notes.zip"),
}

_NOTES = "/api/v1/notes"

api = Api("notes", description="Notes with tags, full-text search, versions and exports.")


def _find_note(request: Request, note_id: RowId) -> NoteView:
    return make_note_view(Note.get_owned(request.user_id, note_id))


@api.post(
    "/notes",
    quota="storage",
    location="/notes/{id}",
    operation="create_note",
    example={"title": "Tea", "content": "Green tea wants 70 degrees.", "tags": ["kitchen"]},
)
async def create(request: Request, body: NewNote) -> NoteView:
    """Create a note.

    The event `note_created` is emitted in the same transaction.
    """
    note = await request.workbench.store.transact(
        create_note,
        request.user_id,
        title=body.title,
        content=body.content,
        tags=body.tags,
        now=request.workbench.clock.now(),
    )
    return make_note_view(note)


@api.get("/notes")
async def list_notes(
    request: Request,
    query: ListQuery,
    tag: Tag | None = None,
) -> Page[NoteView]:
    """List your notes, the newest first; filter by `tag`.

    The list follows the cursor: notes that are created meanwhile shift no page.
    """
    found = await request.workbench.store.read(
        select_notes, request.user_id, tag, query.limit, query.span
    )
    return make_page(
        found.rows, query.limit, lambda note: note.id, make_note_view, scanned_to=found.end
    )


@api.get("/notes/search", operation="search_notes")
async def search(
    request: Request,
    q: Annotated[
        str,
        Field(
            min_length=1,
            max_length=500,
            description='Words that must all occur; `plan*` matches a prefix, `"to do"` a phrase.',
        ),
    ],
    tag: Tag | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[HitView]:
    """Search your notes by words, the best match first.

    `excerpt` has the matches with the text around them.
    """
    # Pages by offset, because ranks are no stable cursor: any change of a note moves them.
    offset = decode_cursor(cursor) or 0
    hits = await request.workbench.store.read(
        search_notes, request.user_id, q, tag=tag, limit=limit + 1, offset=offset
    )
    places = list(enumerate(hits, start=offset + 1))
    return make_page(places, limit, lambda place: place[0], lambda place: make_hit_view(place[1]))


@api.get("/notes/tags")
async def list_tags(request: Request) -> Page[TagView]:
    """List the 1000 most used tags of your notes, the most used first.

    Each tag has the number of its notes.
    """
    counted = await request.workbench.store.read(count_tags, request.user_id)
    return Page(data=[TagView(tag=tag, notes=count) for tag, count in counted], next=None)


@api.get(
    "/notes/export",
    media_type=("application/x-ndjson", "application/zip", _BYTES),
    sends=(Header("Content-Disposition", "The name of the file."),),
)
async def export_notes(request: Request, format: Format = Format.JSONL) -> web.StreamResponse:  # noqa: A002  # the parameter's name in the query
    """Export all your notes, the oldest first, as JSON lines or a ZIP of Markdown files.

    JSON lines are one note a line. A request with `Accept: application/octet-stream` gets the same
    bytes with this media type.
    """
    media_type, name = _FILES[format]
    if _BYTES in request.http.headers.get(hdrs.ACCEPT, ""):
        media_type = _BYTES
    file = await request.workbench.store.read(write_export, request.user_id, format)
    return web.Response(
        body=_read_chunks(file),
        content_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@api.get("/notes/{note_id}")
async def read_note(request: Request, note_id: RowId) -> NoteView:
    """Read a note.

    The status is 404 for a note of another user.
    """
    return await request.workbench.store.read(_find_note, request, note_id)


@api.get("/notes/{note_id}/markdown", media_type="text/markdown")
async def read_note_markdown(request: Request, note_id: RowId) -> web.Response:
    """Read a note as Markdown, after its other fields as YAML.

    The file is the same as in the export.
    """
    note = await request.workbench.store.read(Note.get_owned, request.user_id, note_id)
    return web.Response(text=to_markdown(note), content_type="text/markdown", charset="utf-8")


@api.patch(
    "/notes/{note_id}",
    quota="storage",
    operation="change_note",
    example={"tags": ["kitchen", "drinks"]},
    present=_find_note,
)
async def change(request: Request, note_id: RowId, body: NoteChange) -> NoteView:
    """Change a note; the old text stays as an earlier version.

    Fields that are left out do not change; `tags` replaces all tags.
    With `version`, as with `If-Match`, a note that has changed since is not changed.
    """
    user_id, now = request.user_id, request.workbench.clock.now()

    def write() -> NoteView:
        body.check_version(Note.get_owned(user_id, note_id))
        return make_note_view(change_note(user_id, note_id, body.list_columns(), now))

    return await request.workbench.store.write(write)


@api.delete("/notes/{note_id}", operation="delete_note", present=_find_note)
async def delete(request: Request, note_id: RowId) -> None:
    """Delete a note and all versions.

    The id is never given again.
    """
    await request.workbench.store.write(delete_note, request.user_id, note_id)


@api.post("/notes/delete", status=202, location="/operations/{id}", example={"tag": "draft"})
async def delete_many_notes(request: Request, body: NoteSelection) -> OperationView | RowCount:
    """Delete notes with their versions, or count them in a dry run.

    The deletion is an operation of the kind `note_delete`, which `Location` names. A dry run
    begins nothing: the answer is the number, without `Location`.
    """
    return await begin_act(request, NOTE_DELETE, _NOTES, body, Note)


@api.post(
    "/notes/tag",
    status=202,
    location="/operations/{id}",
    example={"tag": "draft", "add": ["done"], "remove": ["draft"]},
)
async def tag_many_notes(request: Request, body: NoteTagging) -> OperationView | RowCount:
    """Add tags to notes and remove tags from them, or count the notes in a dry run.

    The act is an operation of the kind `note_tag`, which `Location` names. A note that would have
    more than 20 tags counts as failed, and does not change.
    """
    return await begin_act(request, NOTE_TAG, _NOTES, body, Note)


@api.get("/notes/{note_id}/versions")
async def list_note_versions(
    request: Request,
    note_id: RowId,
    query: ListQuery,
) -> Page[VersionView]:
    """List the last 100 earlier versions of a note, the latest first.

    A version is the note before a change.
    """
    rows = await request.workbench.store.read(
        select_versions, request.user_id, note_id, query.limit, query.span
    )
    return make_page(rows, query.limit, lambda version: version.version, make_version_view)


@api.get("/notes/{note_id}/versions/{version}")
async def read_note_version(request: Request, note_id: RowId, version: RowId) -> VersionView:
    """Read an earlier version of a note.

    The status is 404 if there is no such version, or not any more.
    """
    return make_version_view(
        await request.workbench.store.read(load_version, request.user_id, note_id, version)
    )


async def _read_chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    # In a thread, because a large export is a file on the disk.
    with file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk
