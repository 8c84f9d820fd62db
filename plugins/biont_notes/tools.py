"""Tools for notes: a model may create, search and read the notes of its user."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from pydantic import ConfigDict, Field, JsonValue

from biont import RowId, Schema, Tool, ToolContext, Transaction, make_tool
from biont.events import mark_origin
from biont.http import QUOTAS
from biont.llm import ToolResult
from biont_notes.notes import Source, create_note
from biont_notes.search import NoteHit, search_notes
from biont_notes.tables import Note
from biont_notes.views import NewNote

_FOUND_NOTES = 10
_CONTENT_LIMIT = 8000
"""Characters of a note that a model reads; the whole may exceed the context of a small model."""


class NoteSearch(Schema):
    """The words to search for."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=1, max_length=500, description="Words that the notes contain.")


class NoteChoice(Schema):
    """The number of a note."""

    model_config = ConfigDict(extra="forbid")

    note_id: RowId


async def _create_note(context: ToolContext, note: NewNote) -> ToolResult:
    def write(tx: Transaction) -> JsonValue:
        context.workbench.get(QUOTAS).check("storage", context.user_id)
        made = create_note(
            tx,
            context.user_id,
            title=note.title,
            content=note.content,
            tags=note.tags,
            now=context.workbench.clock.now(),
            source=Source(context.source, context.source_url),
        )
        return {"note_id": made.id}

    return write


async def _search_notes(context: ToolContext, search: NoteSearch) -> ToolResult:
    hits = await context.workbench.store.read(
        search_notes, context.user_id, search.query, limit=_FOUND_NOTES
    )
    for hit in hits:
        mark_origin(hit.note.origin)
    return [_summarize_hit(hit) for hit in hits]


async def _read_note(context: ToolContext, choice: NoteChoice) -> ToolResult:
    note = await context.workbench.store.read(Note.get_owned, context.user_id, choice.note_id)
    mark_origin(note.origin)
    return {
        "title": note.title,
        "content": note.content[:_CONTENT_LIMIT],
        "tags": orjson.loads(note.tags),
    }


def _summarize_hit(hit: NoteHit) -> JsonValue:
    excerpt = "".join(part.text for part in hit.excerpt)
    return {"note_id": hit.note.id, "title": hit.note.title, "excerpt": excerpt}


TOOLS: Sequence[Tool] = (
    make_tool("create_note", "Keep a note for the user.", NewNote, _create_note),
    make_tool("search_notes", "Find notes of the user by words.", NoteSearch, _search_notes),
    make_tool("read_note", "Read one note of the user.", NoteChoice, _read_note),
)
