"""What REST clients send and see of notes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from pydantic import ConfigDict, Field

from biont import Schema
from biont_notes.notes import CONTENT_LIMIT, TITLE_LIMIT
from biont_notes.search import NoteHit
from biont_notes.tables import Note, NoteVersion

Title = Annotated[str, Field(min_length=1, max_length=TITLE_LIMIT)]
Content = Annotated[str, Field(max_length=CONTENT_LIMIT, description="Markdown.")]
_END = r"[^\s,\x00-\x1f]"
Tag = Annotated[
    str, Field(pattern=rf"^{_END}(?:[^,\x00-\x1f]{{0,48}}{_END})?$", examples=["work"])
]
Tags = Annotated[list[Tag], Field(max_length=20)]


class NewNote(Schema):
    """A note to keep."""

    model_config = ConfigDict(extra="forbid")

    title: Title
    content: Content = ""
    tags: Tags = Field(default_factory=list)


class NoteChange(Schema):
    """What is to change; the rest stays as it is."""

    model_config = ConfigDict(extra="forbid")

    title: Title | None = None
    content: Content | None = None
    tags: Tags | None = None

    def list_columns(self) -> dict[str, str]:
        """Return what was given, as columns of a note."""
        columns = self.model_dump(exclude_none=True)
        if self.tags is not None:
            columns["tags"] = orjson.dumps(list(dict.fromkeys(self.tags))).decode()
        return columns


class NoteView(Schema):
    """A note as it is kept."""

    id: int
    title: str
    content: str
    tags: list[str]
    version: int = Field(description="1, and one more after each change.")
    source: str | None = Field(description="What wrote it, when no person did: `run-7`.")
    source_url: str | None = Field(description="Where that is read.")
    created_at: datetime
    updated_at: datetime


class VersionView(Schema):
    """A note as it was before a change."""

    version: int
    title: str
    content: str
    tags: list[str]
    created_at: datetime = Field(description="When it became so.")


class PartView(Schema):
    """A piece of an excerpt."""

    text: str
    match: bool = Field(description="Whether it is what was looked for.")


class HitView(Schema):
    """A note that was found."""

    note_id: int
    title: str
    tags: list[str]
    excerpt: list[PartView] = Field(description="What was found, among the words around it.")


class TagView(Schema):
    """A tag, and how much it is used."""

    tag: str
    notes: int


def show_note(note: Note) -> NoteView:
    """Return a note as its user sees it."""
    return NoteView(
        id=note.id,
        title=note.title,
        content=note.content,
        tags=orjson.loads(note.tags),
        version=note.version,
        source=note.source,
        source_url=note.source_url,
        created_at=note.created_at,
        updated_at=note.updated_at,
    )


def show_version(version: NoteVersion) -> VersionView:
    """Return an earlier version as its user sees it."""
    return VersionView(
        version=version.version,
        title=version.title,
        content=version.content,
        tags=orjson.loads(version.tags),
        created_at=version.created_at,
    )


def show_hit(hit: NoteHit) -> HitView:
    """Return what was found as its user sees it."""
    return HitView(
        note_id=hit.note.id,
        title=hit.note.title,
        tags=orjson.loads(hit.note.tags),
        excerpt=[PartView(text=part.text, match=part.is_match) for part in hit.excerpt],
    )
