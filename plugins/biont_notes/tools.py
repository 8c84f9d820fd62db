"""What a language model may do with notes."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from pydantic import ConfigDict, Field, JsonValue

from biont import RowId, Schema, Tool, ToolContext, Transaction, make_tool
from biont.llm import ToolResult
from biont_notes.notes import Source, create_note
from biont_notes.search import NoteHit, search_notes
from biont_notes.tables import Note
from biont_notes.views import NewNote

_FOUND = 10
_READ = 8000


class NoteSearch(Schema):
    """What to look for."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=1, max_length=500, description="Words that the notes have.")


class NoteChoice(Schema):
    """Which note."""

    model_config = ConfigDict(extra="forbid")

    note_id: RowId


async def _create(context: ToolContext, note: NewNote) -> ToolResult:
    def write(tx: Transaction) -> JsonValue:
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


async def _search(context: ToolContext, search: NoteSearch) -> ToolResult:
    hits = await context.workbench.store.read(
        search_notes, context.user_id, search.query, limit=_FOUND
    )
    return [_tell(hit) for hit in hits]


async def _read(context: ToolContext, choice: NoteChoice) -> ToolResult:
    note = await context.workbench.store.read(Note.get_owned, context.user_id, choice.note_id)
    return {
        "title": note.title,
        "content": note.content[:_READ],
        "tags": orjson.loads(note.tags),
    }


def _tell(hit: NoteHit) -> JsonValue:
    excerpt = "".join(part.text for part in hit.excerpt)
    return {"note_id": hit.note.id, "title": hit.note.title, "excerpt": excerpt}


TOOLS: Sequence[Tool] = (
    make_tool("create_note", "Keep a note for the user.", NewNote, _create),
    make_tool("search_notes", "Find notes of the user by words.", NoteSearch, _search),
    make_tool("read_note", "Read one note of the user.", NoteChoice, _read),
)
