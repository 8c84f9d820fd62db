"""Notes: keep, find, change and export them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from biont import Api, EventType, Tables, Tool, hookimpl
from biont_notes.notes import NOTE_CREATED
from biont_notes.routes import api
from biont_notes.tables import Note, NoteVersion
from biont_notes.tools import TOOLS


@hookimpl
def register_tables() -> Tables:
    """Return the tables of notes and of what they were."""
    return Tables(Path(__file__).parent / "migrations", [Note, NoteVersion])


@hookimpl
def register_tools() -> Sequence[Tool]:
    """Return what a language model may do with notes."""
    return TOOLS


@hookimpl
def register_routes() -> Api:
    """Return the routes of notes."""
    return api


@hookimpl
def register_event_types() -> Sequence[EventType]:
    """Return ``note_created``."""
    return [NOTE_CREATED]
