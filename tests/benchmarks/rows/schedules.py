"""The scheduler: what a sweep costs, what a preview, and how late a run starts."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

from benchmarks.child import Child
from benchmarks.measure import MeasurementFailed, Result, alternate, percentile, repeat
from benchmarks.previews import CountInCroniter, Preview
from benchmarks.processes import PLUGINS, Workbench, perform, set_up
from benchmarks.sweeps import Claim, Sweep, WriteClaims, fill_schedules, insert_schedules

_MANY = 1_000_000
_FEW = 1_000
_DUE = 10_000
_PREVIEWED = 200
_RUNS = 100
_RUN_EVERY = timedelta(milliseconds=30)
_START = timedelta(seconds=2.5)
_AFTERMATH = timedelta(seconds=0.5)
_RESULTS = "SELECT result FROM schedule_runs WHERE status = 'succeeded'"


async def sweep_idle(folder: Path) -> Result:
    """Compare sweeps of a million schedules, none due, with those of a thousand."""
    many, few = await set_up(folder / "many"), await set_up(folder / "few")
    fill_schedules(many.database, _MANY, 0)
    fill_schedules(few.database, _FEW, 0)
    ours, bare = await alternate(
        partial(_perform, Sweep(str(many.database))), partial(_perform, Sweep(str(few.database)))
    )
    return Result("ms", ours, bare)


async def sweep_burst(folder: Path) -> Result:
    """Compare claims of ten thousand due schedules of a million with their bare writes."""
    workbench = await set_up(folder)
    fill_schedules(workbench.database, _MANY, _DUE)
    work = folder / "work.sqlite3"

    async def measure(kind: type[Claim | WriteClaims]) -> float:
        shutil.copyfile(workbench.database, work)
        return await _perform(kind(str(work)))

    ours, bare = await alternate(partial(measure, Claim), partial(measure, WriteClaims))
    return Result("us/run", ours, bare)


async def preview_rate(_: Path) -> Result:
    """Compare previews across zones with croniter's count of wall-clock times."""
    ours, bare = await alternate(
        partial(_perform, Preview(_PREVIEWED)), partial(_perform, CountInCroniter(_PREVIEWED))
    )
    return Result("instants/s", ours, bare)


async def lateness(folder: Path) -> Result:
    """Measure how late runs start, each due while nothing else happens."""
    workbench = await set_up(folder, plugins={"folder": str(PLUGINS)})
    return Result("ms", await repeat(partial(_measure_lateness, workbench)))


async def _measure_lateness(workbench: Workbench) -> float:
    """Return the latest start but for one of a hundred, in milliseconds."""
    with closing(sqlite3.connect(workbench.database)) as connection, connection:
        connection.execute("DELETE FROM schedule_runs")
        connection.execute("DELETE FROM schedules")
    first = datetime.now(UTC) + _START
    due = [first + number * _RUN_EVERY for number in range(_RUNS)]
    insert_schedules(
        workbench.database, [("do_nothing", "0 0 1 1 *", "UTC", instant) for instant in due]
    )
    async with workbench.serve():
        if datetime.now(UTC) > first:
            raise MeasurementFailed(f"the start took longer than {_START}")
        await asyncio.sleep((due[-1] - datetime.now(UTC) + _AFTERMATH).total_seconds())
    with closing(sqlite3.connect(workbench.database)) as connection:
        results = connection.execute(_RESULTS).fetchall()
    if len(results) != _RUNS:
        raise MeasurementFailed(f"{len(results)} of {_RUNS} runs succeeded")
    return percentile([json.loads(result)["late"] for (result,) in results], 99)


async def _perform(child: Child) -> float:
    return cast("float", await perform(child))
