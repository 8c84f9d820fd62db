"""Plugin ``notes``: texts with tags, versions, search and export."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from biont import Api, EventType, Panel, Tables, Tool, Workbench, hookimpl
from biont.http import QUOTAS, Quota
from biont.operations import OperationKind
from biont_notes.bulk_acts import OPERATION_KINDS
from biont_notes.notes import NOTE_CREATED
from biont_notes.panels import PANELS
from biont_notes.routes import api
from biont_notes.settings import NotesSettings
from biont_notes.storage import NoteStorage
from biont_notes.tables import Note, NoteVersion
from biont_notes.tools import TOOLS


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Return the panel of the dashboard's home page."""
    return PANELS


@hookimpl
def register_settings() -> type[NotesSettings]:
    """Return the limit of notes."""
    return NotesSettings


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Limit the notes of each user."""
    return _limit_notes(workbench)


@asynccontextmanager
async def _limit_notes(workbench: Workbench) -> AsyncIterator[None]:
    limit = workbench.plugin_settings("notes", NotesSettings).storage
    count = NoteStorage(limit).count
    workbench.get(QUOTAS).add(Quota("storage", limit, "plugins.notes.storage", count))
    yield


@hookimpl
def register_tables() -> Tables:
    """Return the tables of notes and earlier versions."""
    return Tables(Path(__file__).parent / "migrations", [Note, NoteVersion])


@hookimpl
def register_tools() -> Sequence[Tool]:
    """Return the tools for notes."""
    return TOOLS


@hookimpl
def register_operations() -> Sequence[OperationKind]:
    """Return the acts on many notes."""
    return OPERATION_KINDS


@hookimpl
def register_routes() -> Api:
    """Return the routes of notes."""
    return api


@hookimpl
def register_event_types() -> Sequence[EventType]:
    """Return the event type ``note_created``."""
    return [NOTE_CREATED]
