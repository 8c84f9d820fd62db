"""Full-text search in notes, and the use of tags (SQLite FTS5)."""

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
    """Match of a search.

    Attributes:
        note: the note.
        excerpt: the text around the matches.
    """

    note: Note
    excerpt: list[SnippetPart]


def search_notes(
    user_id: int, query: str, *, tag: str | None = None, limit: int = 100, offset: int = 0
) -> list[NoteHit]:
    """Return the notes of a user that contain all words of `query`, the best match first.

    The search ignores case and accents. ``plan*`` matches a prefix, ``"to do"`` a phrase. A
    match in the title counts four times (BM25, see
    https://sqlite.org/fts5.html#the_bm25_function).
    """
    found = execute_sql(_SEARCH, quote_words(query), user_id, tag, tag, limit, offset).fetchall()
    # Two queries: FTS5 ranks and cuts first, and only the page of notes is read as rows.
    notes = {note.id: note for note in Note.select().where(Note.id << [row[0] for row in found])}
    return [NoteHit(notes[note_id], split_snippet(snippet)) for note_id, snippet in found]


def count_tags(user_id: int) -> list[tuple[str, int]]:
    """Return the tags of a user and the number of notes of each tag, the most used first."""
    return [(tag, count) for tag, count in execute_sql(_COUNT_TAGS, user_id).fetchall()]
