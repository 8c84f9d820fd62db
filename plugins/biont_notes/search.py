"""Finds notes by the words in them, and tags by use (SQLite FTS5)."""

from __future__ import annotations

from dataclasses import dataclass

from biont.store import SnippetPart, execute_sql, quote_words, split_snippet
from biont_notes.tables import Note

_SEARCH = (
    "SELECT notes.id, snippet(notes_text, -1, char(2), char(3), '…', 24) FROM notes_text"
    " JOIN notes ON notes.id = notes_text.rowid"
    " WHERE notes_text MATCH ? AND notes.user_id = ?"
    " AND (? IS NULL OR notes.id IN (SELECT note_id FROM note_tags WHERE tag = ?))"
    " ORDER BY bm25(notes_text, 4.0, 1.0), notes.id DESC LIMIT ? OFFSET ?"
)
_COUNT_TAGS = (
    "SELECT tag, count(*) FROM note_tags JOIN notes ON notes.id = note_id"
    " WHERE notes.user_id = ? GROUP BY tag ORDER BY count(*) DESC, tag LIMIT 1000"
)


@dataclass(frozen=True)
class NoteHit:
    """A note that was found.

    Attributes:
        note: the whole of it.
        excerpt: the words around what was found.
    """

    note: Note
    excerpt: list[SnippetPart]


def search_notes(
    user_id: int, query: str, *, tag: str | None = None, limit: int = 100, offset: int = 0
) -> list[NoteHit]:
    """Return a user's notes that have all words of `query`, the best first.

    Upper and lower case and accents make no difference; ``plan*`` finds what begins so,
    and ``"to do"`` the words one after the other. A match in a title counts four times
    (BM25, see https://sqlite.org/fts5.html#the_bm25_function).
    """
    found = execute_sql(_SEARCH, quote_words(query), user_id, tag, tag, limit, offset).fetchall()
    notes = {note.id: note for note in Note.select().where(Note.id << [row[0] for row in found])}
    return [NoteHit(notes[note_id], split_snippet(snippet)) for note_id, snippet in found]


def count_tags(user_id: int) -> list[tuple[str, int]]:
    """Return a user's tags and how many notes bear each, the most used first."""
    return [(tag, count) for tag, count in execute_sql(_COUNT_TAGS, user_id).fetchall()]
