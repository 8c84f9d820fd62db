"""What is done with notes, inside a store function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson
from peewee import SQL
from pydantic import Field

from biont import EventType, JsonObject, Schema, Transaction
from biont.exceptions import NotFound
from biont_notes.tables import Note, NoteVersion

TITLE_LIMIT = 200
CONTENT_LIMIT = 200_000
VERSION_LIMIT = 100
"""How many earlier versions of a note are kept, the latest ones."""


class Source(NamedTuple):
    """What wrote a note, when no person did.

    Attributes:
        name: its kind and number: ``run-7``.
        url: the path at which it is read: ``/api/v1/schedule/1/runs/7``.
    """

    name: str
    url: str


class NoteCreated(Schema):
    """Which note it is."""

    note_id: int
    title: str
    tags: list[str] = Field(default_factory=list)
    source: str | None = Field(description="What wrote it, when no person did: `run-7`.")


NOTE_CREATED = EventType("note_created", NoteCreated, "A note was kept.")


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
    """Keep a note, and say so by a ``note_created`` event in the same transaction.

    Args:
        tx: the write that it is part of.
        user_id: whose note it is.
        title: cut to `TITLE_LIMIT` characters.
        content: Markdown, cut to `CONTENT_LIMIT` characters.
        now: the present instant.
        tags: each of them once.
        source: what wrote it, when no person did.
    """
    name, url = source or (None, None)
    unique = dict.fromkeys(tags)
    note = Note.create(
        user=user_id,
        title=title[:TITLE_LIMIT],
        content=content[:CONTENT_LIMIT],
        tags=orjson.dumps(list(unique)).decode(),
        source=name,
        source_url=url,
        created_at=now,
        updated_at=now,
    )
    payload: JsonObject = {
        "note_id": note.id,
        "title": note.title,
        "tags": list(unique),
        "source": name,
    }
    tx.emit(NOTE_CREATED.name, user_id, payload)
    return note


def change_note(user_id: int, note_id: int, changes: Mapping[str, str], now: datetime) -> Note:
    """Change columns of a note, and keep what it was as a version.

    Raises:
        NotFound: there is no such note, or it is somebody else's.
    """
    note = Note.get_owned(user_id, note_id)
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
    """Delete a note with its versions.

    Raises:
        NotFound: there is no such note, or it is somebody else's.
    """
    Note.get_owned(user_id, note_id).delete_instance()


def select_notes(user_id: int, tag: str | None, limit: int, before: int | None) -> list[Note]:
    """Return a page of a user's notes and one more, the newest first."""
    if tag is None:
        return Note.read_page(user_id, limit, before)
    query = Note.of_user(user_id).where(
        Note.id.in_(SQL("(SELECT note_id FROM note_tags WHERE tag = ?)", [tag]))
    )
    if before is not None:
        query = query.where(Note.id < before)
    return list(query.order_by(Note.id.desc()).limit(limit + 1))


def select_versions(
    user_id: int, note_id: int, limit: int, before: int | None
) -> list[NoteVersion]:
    """Return a page of what a note was before its changes and one more, the latest first.

    Raises:
        NotFound: there is no such note, or it is somebody else's.
    """
    note = Note.get_owned(user_id, note_id)
    query = NoteVersion.select().where(NoteVersion.note == note)
    if before is not None:
        query = query.where(NoteVersion.version < before)
    return list(query.order_by(NoteVersion.version.desc()).limit(limit + 1))


def get_version(user_id: int, note_id: int, version: int) -> NoteVersion:
    """Return what a note was in an earlier version.

    Raises:
        NotFound: there is no such note or version, or it is somebody else's.
    """
    note = Note.get_owned(user_id, note_id)
    found = NoteVersion.get_or_none(NoteVersion.note == note, NoteVersion.version == version)
    if found is None:
        raise NotFound(f"note {note_id} has no earlier version {version}; it is {note.version}")
    return found
