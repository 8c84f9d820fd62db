"""Store functions for notes: create, change, delete and list notes and versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import Field

from biont import EventType, JsonObject, Schema, Transaction
from biont.exceptions import NotFound
from biont.store import SCAN_ROWS, Scan, Span, dump_json, execute_sql
from biont_notes.tables import Note, NoteVersion

_SELECT_SCAN_END = """
    SELECT note_id FROM note_tags WHERE tag = ? AND note_id >= ? AND note_id < ?
    ORDER BY note_id {} LIMIT 1 OFFSET ?
"""
# CROSS JOIN, so that SQLite begins with the tag, which few notes have.
_SELECT_TAGGED = """
    SELECT notes.* FROM note_tags CROSS JOIN notes ON notes.id = note_tags.note_id
    WHERE note_tags.tag = ? AND note_tags.note_id >= ? AND note_tags.note_id < ?
        AND notes.user_id = ?
    ORDER BY note_tags.note_id {} LIMIT ?
"""

TITLE_LIMIT = 200
CONTENT_LIMIT = 200_000
VERSION_LIMIT = 100
"""Number of earlier versions of a note that are kept; older versions are deleted."""


class Source(NamedTuple):
    """Origin of a note that no person wrote.

    Attributes:
        name: the kind and number of the origin: ``run-7``.
        url: the REST path of the origin: ``/api/v1/schedule/1/runs/7``.
    """

    name: str
    url: str


class NoteCreated(Schema):
    """A new note."""

    note_id: int
    title: str
    tags: list[str] = Field(default_factory=list)
    source: str | None = Field(description="Origin of a note that no person wrote: `run-7`.")


NOTE_CREATED = EventType("note_created", NoteCreated, "A note was created.")


def create_note(
    tx: Transaction,
    user_id: int,
    *,
    title: str,
    content: str,
    now: datetime,
    tags: Sequence[str] = (),
    source: Source | None = None,
) -> Note:
    """Create a note, and emit ``note_created`` in the same transaction.

    Args:
        tx: the transaction.
        user_id: the owner of the note.
        title: the title; truncated to `TITLE_LIMIT` characters.
        content: Markdown; truncated to `CONTENT_LIMIT` characters.
        now: the present instant.
        tags: the tags; repeated tags count once.
        source: the origin; None for a note that a person wrote.
    """
    source_name = None if source is None else source.name
    # Truncated, not refused: models and missions also create notes, and no user is there to
    # shorten the text. The REST API refuses long texts before.
    unique = dict.fromkeys(tags)
    note = Note.create(
        user=user_id,
        title=title[:TITLE_LIMIT],
        content=content[:CONTENT_LIMIT],
        tags=dump_json(list(unique)),
        source=source_name,
        source_url=None if source is None else source.url,
        created_at=now,
        updated_at=now,
    )
    payload: JsonObject = {
        "note_id": note.id,
        "title": note.title,
        "tags": list(unique),
        "source": source_name,
    }
    tx.emit(NOTE_CREATED.name, user_id, payload)
    return note


def change_note(user_id: int, note_id: int, changes: Mapping[str, str], now: datetime) -> Note:
    """Change columns of a note, and keep the old columns as a version.

    Raises:
        NotFound: the note does not exist, or belongs to another user.
    """
    note = Note.get_owned(user_id, note_id)
    # A change to the same values makes no version, so a client may repeat its request.
    if all(getattr(note, name) == value for name, value in changes.items()):
        return note
    NoteVersion.create(
        note=note,
        version=note.version,
        title=note.title,
        content=note.content,
        tags=note.tags,
        created_at=note.updated_at,
    )
    outdated = NoteVersion.version <= note.version - VERSION_LIMIT
    NoteVersion.delete().where(NoteVersion.note == note, outdated).execute()
    for name, value in changes.items():
        setattr(note, name, value)
    note.version += 1
    note.updated_at = now
    note.save(only=[*changes, "version", "updated_at"])
    return note


def delete_note(user_id: int, note_id: int) -> None:
    """Delete a note and its versions.

    Raises:
        NotFound: the note does not exist, or belongs to another user.
    """
    Note.get_owned(user_id, note_id).delete_instance()


def select_notes(user_id: int, tag: str | None, limit: int, span: Span) -> Scan[Note]:
    """Return up to ``limit + 1`` notes of a user, in the order of the span."""
    if tag is None:
        return Scan(Note.read_page(user_id, limit, span))
    # As SQL, because `note_tags` has no model: only triggers write to it.
    order = "ASC" if span.oldest_first else "DESC"
    first, end = span.find_keys(Note.of_user(user_id), key=Note.id, time=Note.created_at)
    row = execute_sql(_SELECT_SCAN_END.format(order), tag, first, end, SCAN_ROWS - 1).fetchone()
    last = None if row is None else int(row[0])
    if last is not None:
        first, end = (first, last + 1) if span.oldest_first else (last, end)
    found = Note.raw(_SELECT_TAGGED.format(order), tag, first, end, user_id, limit + 1)
    return Scan(list(found), last)


def select_versions(user_id: int, note_id: int, limit: int, span: Span) -> list[NoteVersion]:
    """Return up to ``limit + 1`` earlier versions of a note, in the order of the span.

    Raises:
        NotFound: the note does not exist, or belongs to another user.
    """
    note = Note.get_owned(user_id, note_id)
    query = NoteVersion.select().where(NoteVersion.note == note)
    return span.read(query, limit, key=NoteVersion.version, time=NoteVersion.created_at)


def load_version(user_id: int, note_id: int, version: int) -> NoteVersion:
    """Return an earlier version of a note.

    Raises:
        NotFound: the note or version does not exist, or the note belongs to another user.
    """
    note = Note.get_owned(user_id, note_id)
    found = NoteVersion.get_or_none(NoteVersion.note == note, NoteVersion.version == version)
    if found is None:
        raise NotFound(
            f"note {note_id} has no earlier version {version}; its version is {note.version}"
        )
    return found
