"""Notes: what people and runs of schedules write down."""

from biont_notes.notes import create_note
from biont_notes.tables import Note

__all__ = ["Note", "create_note"]
