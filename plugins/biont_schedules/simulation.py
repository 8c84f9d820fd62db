"""Command ``biont schedule simulate``."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import click
import orjson

from biont.accounts import User
from biont.cli import config_option, parse_instant, read_database, read_settings
from biont.scheduling import Downtime, RunStatus, Schedule, SimulatedRun, simulate
from biont_schedules.declared import read_declared
from biont_schedules.timing import find_timing_problem

_LONGEST = timedelta(days=3660)


@click.command("simulate")
@click.option("--from", "start", type=parse_instant, required=True, help="The first instant.")
@click.option("--to", "end", type=parse_instant, required=True, help="The last instant.")
@click.option(
    "--file",
    type=click.Path(exists=True, path_type=Path),
    help="Simulate the schedules of this file (like `config/schedules.yaml`) instead.",
)
@click.option("--duration", type=float, default=0.0, help="Seconds that each run takes.")
@click.option(
    "--down",
    type=(parse_instant, parse_instant),
    metavar="FROM TO",
    help="Time without a scheduler; shows what is caught up.",
)
@click.option("--summary", is_flag=True, help="Print only the numbers by schedule and status.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
@config_option
def simulate_schedules(  # noqa: PLR0913, PLR0917  # they are options
    start: datetime,
    end: datetime,
    file: Path | None,
    duration: float,
    down: tuple[datetime, datetime] | None,
    summary: bool,
    form: Literal["text", "json"],
    config: Path | None,
) -> None:
    """Print the outcome of every occurrence, by the real scheduler on a virtual clock.

    Includes the schedules in the database and the declared schedules. No job runs, and nothing
    is written; the workbench may run at the same time.
    """
    if not start <= end <= start + _LONGEST:
        raise click.BadParameter("is before --from, or over ten years later", param_hint="--to")
    schedules = _make_declared(file, config, start, {}) if file else _read_schedules(config, start)
    valid = []
    for schedule in schedules:
        if (problem := find_timing_problem(schedule)) is None:
            valid.append(schedule)
        else:
            # One schedule that an older version has stored must not hide all others.
            click.echo(f"{_name_schedule(schedule)} is left out: {problem}", err=True)
    runs = simulate(
        valid,
        start.astimezone(UTC),
        end.astimezone(UTC),
        read_settings(config).scheduler,
        duration=timedelta(seconds=duration),
        downtime=None if down is None else Downtime(*(at.astimezone(UTC) for at in down)),
    )
    shown, counts = [] if summary else runs, _count_outcomes(runs)
    if form == "json":
        click.echo(orjson.dumps({"runs": [_make_json(run) for run in shown], "summary": counts}))
    else:
        click.echo("\n".join([*map(_format_run, shown), *_format_counts(counts)]))


def _read_schedules(config: Path | None, now: datetime) -> list[Schedule]:
    """Return the schedules that users have made, and the declared schedules."""
    if not read_settings(config).database.path.exists():
        return _make_declared(None, config, now, {})
    with read_database(config):
        made = list(Schedule.select().where(Schedule.origin.is_null()).order_by(Schedule.id))
        zones = {user.name: user.time_zone for user in User.select()}
    return made + _make_declared(None, config, now, zones)


def _make_declared(
    file: Path | None, config: Path | None, now: datetime, zones: Mapping[str, str | None]
) -> list[Schedule]:
    # The operator may ask about a file before its users exist, so an unknown user is no error.
    default = read_settings(config).scheduler.time_zone
    return [
        Schedule(
            **declaration.list_columns()
            | {
                "name": declaration.name or slug,
                "slug": slug,
                "time_zone": declaration.time_zone or zones.get(declaration.user) or default,
                "job_kind": declaration.job,
                "parameters": "{}",
                "created_at": now,
                "updated_at": now,
            }
        )
        for slug, declaration in read_declared(file or config).items()
    ]


def _name_schedule(schedule: Schedule) -> str:
    return schedule.slug or f"#{schedule.id} {schedule.name}"


def _make_json(run: SimulatedRun) -> dict[str, object]:
    zone = ZoneInfo(run.schedule.time_zone)
    return {
        "schedule": _name_schedule(run.schedule),
        "time_zone": run.schedule.time_zone,
        "local_time": run.scheduled_for.astimezone(zone),
        "scheduled_for": run.scheduled_for,
        "due_at": run.due_at,
        "status": run.status,
        "reason": run.reason,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
    }


def _format_run(run: SimulatedRun) -> str:
    local = run.scheduled_for.astimezone(ZoneInfo(run.schedule.time_zone))
    line = (
        f"{local:%Y-%m-%d %H:%M:%S%z} {run.schedule.time_zone}  "
        f"{run.scheduled_for:%Y-%m-%dT%H:%M:%SZ}  {_name_schedule(run.schedule)}  {run.status}"
    )
    return f"{line}: {run.reason}" if run.reason else line


def _count_outcomes(runs: Sequence[SimulatedRun]) -> dict[str, dict[str, int]]:
    """Return the number of occurrences by schedule and status."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for run in runs:
        counts[_name_schedule(run.schedule)][run.status.value] += 1
    return {name: dict(counts[name]) for name in sorted(counts)}


def _format_counts(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return a table with a line for each schedule and a total."""
    total: Counter[str] = Counter()
    for count in counts.values():
        total.update(count)
    statuses = [status for status in RunStatus if total[status]]
    rows = [("schedule", ["instants", *statuses])] + [
        (name, [str(sum(count.values())), *(str(count.get(status, 0)) for status in statuses)])
        for name, count in (*counts.items(), ("all", total))
    ]
    widths = [max(map(len, column)) for column in zip(*(cells for _, cells in rows), strict=True)]
    longest = max(len(name) for name, _ in rows)
    return [
        "  ".join([name.ljust(longest), *map(str.rjust, cells, widths)]) for name, cells in rows
    ]
