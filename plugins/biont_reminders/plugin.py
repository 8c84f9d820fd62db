"""Plugin of reminders: tables, routes, tools, and the job kind ``reminder``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from biont import Api, EventType, JobKind, Tables, Tool, hookimpl
from biont_reminders.job import REMINDER, REMINDER_TRIGGERED
from biont_reminders.routes import api
from biont_reminders.tables import Reminder
from biont_reminders.tools import TOOLS


@hookimpl
def register_tables() -> Tables:
    """Return the table of reminders."""
    return Tables(Path(__file__).parent / "migrations", [Reminder])


@hookimpl
def register_tools() -> Sequence[Tool]:
    """Return the tool that creates reminders."""
    return TOOLS


@hookimpl
def register_routes() -> Api:
    """Return the routes of reminders."""
    return api


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    """Return the job kind ``reminder``."""
    return [REMINDER]


@hookimpl
def register_event_types() -> Sequence[EventType]:
    """Return the event type ``reminder_triggered``."""
    return [REMINDER_TRIGGERED]
