"""Notes as files: one Markdown file a note, or one line of JSON."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from tempfile import SpooledTemporaryFile
from typing import IO

import orjson

from biont_notes.tables import Note

_IN_MEMORY = 1024 * 1024
_STAMP = (1980, 1, 1, 0, 0, 0)


class Format(StrEnum):
    """As what notes are exported."""

    JSONL = "jsonl"
    MARKDOWN = "markdown"


def write_export(user_id: int, chosen: Format) -> IO[bytes]:
    """Return a file with all notes of a user, the oldest first, read from its start.

    ``jsonl`` is a JSON object a line, ``markdown`` a ZIP archive of what `to_markdown`
    makes, each file named by its note's number. The file is the caller's to close.
    """
    file: IO[bytes] = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # the caller closes it
    if chosen is Format.JSONL:
        file.writelines(to_json(note) + b"\n" for note in _iterate(user_id))
    else:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for note in _iterate(user_id):
                entry = zipfile.ZipInfo(f"note-{note.id}.md", _STAMP)
                archive.writestr(entry, to_markdown(note), zipfile.ZIP_DEFLATED)
    file.seek(0)
    return file


def to_markdown(note: Note) -> str:
    """Return a note as Markdown with its data before it, as YAML between lines of ``---``.

    The values are JSON, which YAML 1.2 includes.
    """
    head = "".join(
        f"{name}: {orjson.dumps(value).decode()}\n"
        for name, value in _describe(note).items()
        if value is not None
    )
    return f"---\n{head}---\n{note.content}"


def to_json(note: Note) -> bytes:
    """Return a note as one JSON object."""
    return orjson.dumps({**_describe(note), "content": note.content})


def _describe(note: Note) -> dict[str, object]:
    return {
        "id": note.id,
        "title": note.title,
        "tags": orjson.loads(note.tags),
        "version": note.version,
        "source": note.source,
        "source_url": note.source_url,
        "created_at": _to_text(note.created_at),
        "updated_at": _to_text(note.updated_at),
    }


def _to_text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _iterate(user_id: int) -> Iterator[Note]:
    return iter(Note.of_user(user_id).order_by(Note.id).iterator())
