"""Plugin ``notes``: texts with tags, versions, search and export."""

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
    """Return the tables of notes and earlier versions."""
    return Tables(Path(__file__).parent / "migrations", [Note, NoteVersion])


@hookimpl
def register_tools() -> Sequence[Tool]:
    """Return the tools for notes."""
    return TOOLS


@hookimpl
def register_routes() -> Api:
    """Return the routes of notes."""
    return api


@hookimpl
def register_event_types() -> Sequence[EventType]:
    """Return the event type ``note_created``."""
    return [NOTE_CREATED]
