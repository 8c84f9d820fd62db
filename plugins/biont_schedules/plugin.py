"""Schedules: run a prompt, or another job, when it is due."""

from __future__ import annotations

from collections.abc import Sequence

import click

from biont import Api, JobKind, hookimpl
from biont_schedules.commands import schedule
from biont_schedules.prompt import PROMPT
from biont_schedules.routes import api


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
    cli.add_command(schedule)
