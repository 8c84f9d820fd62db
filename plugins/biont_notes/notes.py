"""What is done with notes, inside a store function."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from biont import EventType, JsonObject, Transaction
from biont_notes.tables import Note

TITLE_LIMIT = 200
CONTENT_LIMIT = 200_000


class NoteCreated(BaseModel):
    """Which note it is."""

    note_id: int
    title: str
    source: str | None = Field(description="What wrote it, when no person did: `run-7`.")


NOTE_CREATED = EventType("note_created", NoteCreated, "A note was kept.")


def create_note(
    tx: Transaction,
    user_id: int,
    *,
    title: str,
    content: str,
    now: datetime,
    source: str | None = None,
) -> Note:
    """Keep a note, and say so by a ``note_created`` event in the same transaction.

    Args:
        tx: the write that it is part of.
        user_id: whose note it is.
        title: cut to `TITLE_LIMIT` characters.
        content: cut to `CONTENT_LIMIT` characters.
        now: the present instant.
        source: what wrote it, when no person did: ``run-7``.
    """
    note = Note.create(
        user=user_id,
        title=title[:TITLE_LIMIT],
        content=content[:CONTENT_LIMIT],
        source=source,
        created_at=now,
        updated_at=now,
    )
    payload: JsonObject = {"note_id": note.id, "title": note.title, "source": source}
    tx.emit(NOTE_CREATED.name, user_id, payload)
    return note
