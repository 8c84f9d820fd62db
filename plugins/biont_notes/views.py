"""Schemas of notes, as REST clients send and receive notes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from pydantic import ConfigDict, Field

from biont import RowId, Schema
from biont.exceptions import PreconditionFailed
from biont.http import MergePatch
from biont.store import dump_json
from biont_notes.notes import CONTENT_LIMIT, TITLE_LIMIT
from biont_notes.search import NoteHit
from biont_notes.tables import Note, NoteVersion

Title = Annotated[str, Field(min_length=1, max_length=TITLE_LIMIT)]
Content = Annotated[str, Field(max_length=CONTENT_LIMIT, description="Markdown.")]
_END = r"[^\s,\x00-\x1f]"
Tag = Annotated[
    str, Field(pattern=rf"^{_END}(?:[^,\x00-\x1f]{{0,48}}{_END})?$", examples=["work"])
]
TAG_LIMIT = 20
"""The most tags of a note."""

Tags = Annotated[list[Tag], Field(max_length=TAG_LIMIT)]


class NewNote(Schema):
    """A note to create."""

    model_config = ConfigDict(extra="forbid")

    title: Title
    content: Content = ""
    tags: Tags = Field(default_factory=list)


class NoteChange(MergePatch):
    """Fields of a note to change, as a JSON merge patch (RFC 7396)."""

    title: Title = ""
    content: Content = ""
    tags: Tags = Field(default_factory=list)
    version: RowId = Field(
        1, description="The version that you have read; with another one the answer is 412."
    )

    def check_version(self, note: Note) -> None:
        """Check that the client has read the present version, if the client names a version.

        Raises:
            PreconditionFailed: the note has another version.
        """
        if "version" in self.model_fields_set and self.version != note.version:
            raise PreconditionFailed(
                f"note {note.id} has the version {note.version}; read it, then repeat the change"
            )

    def list_columns(self) -> dict[str, str]:
        """Return the given fields as columns of a note."""
        columns = self.model_dump(exclude_unset=True, exclude={"version"})
        if "tags" in columns:
            columns["tags"] = dump_json(list(dict.fromkeys(self.tags)))
        return columns


class NoteView(Schema):
    """A note."""

    id: int
    title: str
    content: str
    tags: list[str]
    version: int = Field(description="1, plus the number of changes.")
    source: str | None = Field(description="Origin of a note that no person wrote: `run-7`.")
    source_url: str | None = Field(description="REST path of the origin.")
    origin: str | None = Field(
        description="Event by which text of another system came in that the note may repeat; null "
        "for none."
    )
    created_at: datetime
    updated_at: datetime


class VersionView(Schema):
    """An earlier version of a note."""

    version: int
    title: str
    content: str
    tags: list[str]
    created_at: datetime = Field(description="The time at which this version was made.")


class PartView(Schema):
    """A piece of an excerpt."""

    text: str
    match: bool = Field(description="True for a match of the search.")


class HitView(Schema):
    """A match of a search."""

    note_id: int
    title: str
    tags: list[str]
    excerpt: list[PartView] = Field(description="The matches with the text around them.")


class TagView(Schema):
    """A tag and the number of its notes."""

    tag: str
    notes: int


def make_note_view(note: Note) -> NoteView:
    """Return the REST view of a note."""
    return NoteView(
        id=note.id,
        title=note.title,
        content=note.content,
        tags=orjson.loads(note.tags),
        version=note.version,
        source=note.source,
        source_url=note.source_url,
        origin=note.origin,
        created_at=note.created_at,
        updated_at=note.updated_at,
    )


def make_version_view(version: NoteVersion) -> VersionView:
    """Return the REST view of an earlier version."""
    return VersionView(
        version=version.version,
        title=version.title,
        content=version.content,
        tags=orjson.loads(version.tags),
        created_at=version.created_at,
    )


def make_hit_view(hit: NoteHit) -> HitView:
    """Return the REST view of a match."""
    return HitView(
        note_id=hit.note.id,
        title=hit.note.title,
        tags=orjson.loads(hit.note.tags),
        excerpt=[PartView(text=part.text, match=part.is_match) for part in hit.excerpt],
    )
