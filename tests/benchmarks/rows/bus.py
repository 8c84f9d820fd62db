"""The event system: how many events a second, and what a backlog costs at start."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import cast

from benchmarks.buses import EmitThroughQueue, EmitThroughWorkbench
from benchmarks.measure import MeasurementFailed, Result, alternate, repeat
from benchmarks.processes import PLUGINS, Workbench, perform, set_up
from biont import Store, Transaction
from biont.clock import SystemClock
from biont.event import EventFactory

_EVENTS_OF_OURS = 20_000
_EVENTS_OF_BARE = 4_000

_BACKLOG = 200_000
_EVENTS_A_WRITE = 5_000
# By then all handler queues are full, and a good part of the backlog was handled.
_WATCHED = 6.0
_LOOK = 0.02


async def bus_rate(folder: Path) -> Result:
    """Compare events that three handlers get with one queue and one worker."""
    workbench = await set_up(folder, plugins={"folder": str(PLUGINS)})
    ours, bare = await alternate(
        partial(perform, EmitThroughWorkbench(str(workbench.config), _EVENTS_OF_OURS)),
        partial(perform, EmitThroughQueue(str(folder / "bare.sqlite3"), _EVENTS_OF_BARE)),
    )
    return Result("events/s", cast("list[float]", ours), cast("list[float]", bare))


async def backlog_memory(folder: Path) -> Result:
    """Measure how far memory grows at start, with a backlog to handle."""
    workbench = await set_up(folder)
    async with workbench.serve() as server:
        # From now on each handler has its place in the journal.
        await server.settle()
        empty = server.rss
    await _leave_backlog(workbench)
    kept = shutil.copyfile(workbench.database, folder / "backlog.sqlite3")
    growth = await repeat(partial(_weigh_start, workbench, kept))
    return Result("MiB", [(peak - empty) / 2**20 for peak in growth])


async def _leave_backlog(workbench: Workbench) -> None:
    """Record events that nobody has handled, as a process that was killed would."""
    store = Store(workbench.database, EventFactory(SystemClock(), 8))
    await store.open()
    try:
        for _ in range(_BACKLOG // _EVENTS_A_WRITE):
            await store.transact(_emit_many)
    finally:
        await store.close()


def _emit_many(tx: Transaction) -> None:
    for number in range(_EVENTS_A_WRITE):
        tx.emit("custom_order_placed", 1, {"order_id": number, "customer": "Ada Lovelace"})


async def _weigh_start(workbench: Workbench, backlog: Path) -> int:
    """Start on a copy of the backlog; return the most memory used in the first seconds."""
    shutil.copyfile(backlog, workbench.database)
    async with workbench.serve() as server:
        peak = 0
        for _ in range(round(_WATCHED / _LOOK)):
            peak = max(peak, server.rss)
            await asyncio.sleep(_LOOK)
        if _count_left(workbench.database) == _BACKLOG:
            raise MeasurementFailed(f"nothing of the backlog was handled in {_WATCHED:g} s")
        return peak


def _count_left(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT SUM(json_array_length(entries)) FROM journal_blocks"
        (left,) = connection.execute(query).fetchone()
        return int(left or 0)
