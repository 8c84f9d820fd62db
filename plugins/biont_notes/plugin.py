"""Notes: create, list, read, change and delete them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from biont import (
    Api,
    Cursor,
    EventType,
    Limit,
    Page,
    Request,
    RowId,
    Tables,
    Transaction,
    decode_cursor,
    hookimpl,
    make_page,
)
from biont_notes.notes import CONTENT_LIMIT, NOTE_CREATED, TITLE_LIMIT, create_note
from biont_notes.tables import Note

Title = Annotated[str, Field(min_length=1, max_length=TITLE_LIMIT)]
Content = Annotated[str, Field(max_length=CONTENT_LIMIT)]

api = Api("notes")


class NewNote(BaseModel):
    """A note to keep."""

    model_config = ConfigDict(extra="forbid")

    title: Title
    content: Content = ""


class NoteChange(BaseModel):
    """What is to change; the rest stays as it is."""

    model_config = ConfigDict(extra="forbid")

    title: Title | None = None
    content: Content | None = None


class NoteView(BaseModel):
    """A note as it is kept."""

    id: int
    title: str
    content: str
    source: str | None = Field(description="What wrote it, when no person did: `run-7`.")
    created_at: datetime
    updated_at: datetime


@hookimpl
def register_tables() -> Tables:
    """Return the one table of notes."""
    return Tables(Path(__file__).parent / "migrations", [Note])


@hookimpl
def register_routes() -> Api:
    """Return the routes of notes."""
    return api


@hookimpl
def register_event_types() -> Sequence[EventType]:
    """Return ``note_created``."""
    return [NOTE_CREATED]


@api.post("/notes")
async def create(request: Request, body: NewNote) -> NoteView:
    """Keep a note."""
    note = await request.workbench.store.write(
        create_note,
        request.user_id,
        title=body.title,
        content=body.content,
        now=request.workbench.clock.now(),
    )
    return _show(note)


@api.get("/notes")
async def list_notes(
    request: Request, limit: Limit = 100, cursor: Cursor = None
) -> Page[NoteView]:
    """List your notes, the newest first."""
    rows = await request.workbench.store.read(
        Note.read_page, request.user_id, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda note: note.id, _show)


@api.get("/notes/{note_id}")
async def read_note(request: Request, note_id: RowId) -> NoteView:
    """Read a note."""
    return _show(await request.workbench.store.read(Note.get_owned, request.user_id, note_id))


@api.patch("/notes/{note_id}")
async def change_note(request: Request, note_id: RowId, body: NoteChange) -> NoteView:
    """Change a note's title, its content, or both."""
    changes = body.model_dump(exclude_none=True)
    now = request.workbench.clock.now()
    return _show(
        await request.workbench.store.write(_change, request.user_id, note_id, changes, now)
    )


@api.delete("/notes/{note_id}")
async def delete_note(request: Request, note_id: RowId) -> None:
    """Delete a note."""
    await request.workbench.store.write(_delete, request.user_id, note_id)


def _change(
    _: Transaction, user_id: int, note_id: int, changes: dict[str, str], now: datetime
) -> Note:
    note = Note.get_owned(user_id, note_id)
    for name, value in changes.items():
        setattr(note, name, value)
    note.updated_at = now
    note.save()
    return note


def _delete(_: Transaction, user_id: int, note_id: int) -> None:
    Note.get_owned(user_id, note_id).delete_instance()


def _show(note: Note) -> NoteView:
    return NoteView(
        id=note.id,
        title=note.title,
        content=note.content,
        source=note.source,
        created_at=note.created_at,
        updated_at=note.updated_at,
    )
