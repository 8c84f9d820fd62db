"""Notes: texts by people, runs of schedules and missions."""

from biont_notes.notes import Source, create_note
from biont_notes.search import NoteHit, search_notes
from biont_notes.tables import Note
from biont_notes.views import Tags

__all__ = ["Note", "NoteHit", "Source", "Tags", "create_note", "search_notes"]
