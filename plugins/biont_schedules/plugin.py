"""Plugin of schedules: settings, routes, tools, commands, and the job kind ``prompt``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import click
from pydantic import BaseModel

from biont import Api, JobKind, Panel, Tables, Tool, Workbench, hookimpl
from biont_schedules.declared import keep_declared
from biont_schedules.feeds import CalendarFeed
from biont_schedules.panels import PANELS
from biont_schedules.prompt import PROMPT
from biont_schedules.routes import api
from biont_schedules.settings import SchedulesSettings
from biont_schedules.tools import TOOLS


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Return the panel of the dashboard's home page."""
    return PANELS


@hookimpl
def register_settings() -> type[BaseModel]:
    """Return the section in which schedules are declared."""
    return SchedulesSettings


@hookimpl
def register_tables() -> Tables:
    """Return the table of calendar feeds."""
    return Tables(Path(__file__).parent / "migrations", [CalendarFeed])


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Make the database follow the declared schedules."""
    return keep_declared(workbench)


@hookimpl
def register_tools() -> Sequence[Tool]:
    """Return the tools that create and list schedules."""
    return TOOLS


@hookimpl
def register_routes() -> Api:
    """Return the routes of schedules."""
    return api


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    """Return the job kind ``prompt``."""
    return [PROMPT]


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``biont schedule``."""
    from biont_schedules.commands import schedule  # noqa: PLC0415  # a server needs none

    cli.add_command(schedule)
