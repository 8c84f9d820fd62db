"""Commands ``biont schedule``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from biont.cli import config_option, parse_instant, read_database
from biont.clock import SystemClock
from biont.exceptions import NotFound
from biont.scheduling import Schedule
from biont_schedules.simulation import simulate_schedules
from biont_schedules.why import explain_schedule


@click.group("schedule")
def schedule() -> None:
    """Simulate and explain schedules."""


schedule.add_command(simulate_schedules)


@schedule.command("why")
@click.argument("schedule_id", type=int)
@click.option("--at", type=parse_instant, help="Explain this instant instead of the latest runs.")
@config_option
def why(schedule_id: int, at: datetime | None, config: Path | None) -> None:
    """Explain why the schedule SCHEDULE_ID did, or did not, run.

    Nothing is written; the workbench may run at the same time.
    """
    with read_database(config):
        found = Schedule.get_or_none(Schedule.id == schedule_id)
        if found is None:
            raise NotFound(f"there is no schedule {schedule_id}")
        sentences = explain_schedule(found, at, SystemClock().now())
    for sentence in sentences:
        click.echo(sentence)
