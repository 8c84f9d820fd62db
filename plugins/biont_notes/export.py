"""Export of notes: one Markdown file or one line of JSON per note."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from tempfile import SpooledTemporaryFile
from typing import IO

import orjson

from biont.store import dump_json
from biont_notes.tables import Note

_IN_MEMORY = 1024 * 1024
"""Bytes up to which an export stays in memory; a larger export goes to a temporary file."""

# The earliest time that ZIP can store. A fixed time makes equal notes equal files.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


class Format(StrEnum):
    """Export format of notes."""

    JSONL = "jsonl"
    MARKDOWN = "markdown"


def write_export(user_id: int, chosen: Format) -> IO[bytes]:
    """Return a file with all notes of a user, the oldest first, positioned at the start.

    ``jsonl`` has one JSON object per line. ``markdown`` is a ZIP archive with one file per
    note, made by `to_markdown` and named by the number of the note. The caller closes the
    file.
    """
    file: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # the caller closes it
    if chosen is Format.JSONL:
        file.writelines(to_json(note) + b"\n" for note in _iterate_notes(user_id))
    else:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for note in _iterate_notes(user_id):
                entry = zipfile.ZipInfo(f"note-{note.id}.md", _ZIP_TIME)
                archive.writestr(entry, to_markdown(note), zipfile.ZIP_DEFLATED)
    file.seek(0)
    return file


def to_markdown(note: Note) -> str:
    """Return a note as Markdown, after its other fields as YAML between lines of ``---``.

    The values are JSON, because every JSON value is also YAML 1.2.
    """
    head = "".join(
        f"{name}: {dump_json(value)}\n"
        for name, value in _make_fields(note).items()
        if value is not None
    )
    return f"---\n{head}---\n{note.content}"


def to_json(note: Note) -> bytes:
    """Return a note as one JSON object."""
    return orjson.dumps({**_make_fields(note), "content": note.content})


def _make_fields(note: Note) -> dict[str, object]:
    return {
        "id": note.id,
        "title": note.title,
        "tags": orjson.loads(note.tags),
        "version": note.version,
        "source": note.source,
        "source_url": note.source_url,
        "origin": note.origin,
        "created_at": _format_utc(note.created_at),
        "updated_at": _format_utc(note.updated_at),
    }


def _format_utc(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _iterate_notes(user_id: int) -> Iterator[Note]:
    return iter(Note.of_user(user_id).order_by(Note.id).iterator())
