"""Sweeps of a scheduler, and the bare writes that a burst of due schedules needs at least."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice, product
from pathlib import Path
from statistics import median

from benchmarks.child import Child, answer
from biont import Store
from biont.event import EventFactory
from biont.scheduling import Scheduler
from biont.testing import ManualClock

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""The instant at which the due schedules are due."""

PLANS = tuple(
    product(
        (
            "0 * * * *",
            "*/5 * * * *",
            "*/15 8-18 * * *",
            "0 9 * * *",
            "30 7 * * 1-5",
            "0 8 * * 1",
            "0 0 1 * *",
            "15 6,12,18 * * *",
        ),
        (
            "UTC",
            "Europe/Berlin",
            "Europe/London",
            "America/New_York",
            "America/Sao_Paulo",
            "Asia/Tokyo",
            "Asia/Kolkata",
            "Australia/Lord_Howe",
        ),
    )
)
"""Expressions and zones, each with each."""

_SWEEPS = 200
_INSERT = (
    "INSERT INTO schedules (user_id, name, job_kind, parameters, expression, time_zone, paused,"
    " next_fire_at, created_at, updated_at) VALUES (1, 'bench', ?, '{}', ?, ?, 0, ?, ?, ?)"
)
_CLAIM = "UPDATE schedules SET next_fire_at = ? WHERE id = ?"
_RECORD = (
    "INSERT INTO schedule_runs (schedule_id, scheduled_for, due_at, status, attempts, claimed_at)"
    " VALUES (?, ?, ?, 'queued', 0, ?)"
)


def fill_schedules(database: Path, count: int, due: int) -> None:
    """Insert `count` schedules of which `due` are due at `NOON` and all others later."""
    insert_schedules(database, _make_schedules(count, due))


def insert_schedules(
    database: Path, schedules: Iterable[tuple[str, str, str, datetime]], made: datetime = NOON
) -> None:
    """Insert schedules, each as job kind, expression, time zone and next due instant."""
    at = _to_text(made)
    rows = ((kind, text, zone, _to_text(due), at, at) for kind, text, zone, due in schedules)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(_INSERT, rows)


def _make_schedules(count: int, due: int) -> Iterator[tuple[str, str, str, datetime]]:
    for number, (expression, zone) in enumerate(islice(cycle(PLANS), count)):
        # The due ones are as spread over the table as they would be in life.
        is_due = due and number % (count // due) == 0
        later = timedelta(0) if is_due else timedelta(minutes=60 + number % 10_000)
        yield "none", expression, zone, NOON + later


@dataclass(frozen=True)
class Sweep(Child):
    """Sweeps a table in which nothing is due; answers what one costs, in milliseconds.

    Attributes:
        database: with the schedules.
    """

    database: str

    async def run(self) -> None:
        """Sweep again and again."""
        async with _open_scheduler(Path(self.database), NOON - timedelta(hours=1)) as scheduler:
            costs = []
            for _ in range(_SWEEPS):
                started = time.perf_counter()
                await scheduler.sweep()
                costs.append(time.perf_counter() - started)
            answer(median(costs) * 1000)


@dataclass(frozen=True)
class Claim(Child):
    """Claims all schedules that are due at `NOON`; answers what a run costs, in microseconds.

    Attributes:
        database: with the schedules.
    """

    database: str

    async def run(self) -> None:
        """Sweep once."""
        async with _open_scheduler(Path(self.database), NOON) as scheduler:
            started = time.perf_counter()
            claimed = await scheduler.sweep()
            answer((time.perf_counter() - started) / claimed * 1e6)


@dataclass(frozen=True)
class WriteClaims(Child):
    """Updates and inserts a row for each due schedule, in one transaction, and nothing else.

    Attributes:
        database: with the schedules.
    """

    database: str

    async def run(self) -> None:
        """Write them; answer what a run costs, in microseconds."""
        later, now = _to_text(NOON + timedelta(hours=1)), _to_text(NOON)
        with closing(sqlite3.connect(self.database)) as connection:
            connection.execute("PRAGMA journal_mode = wal")
            connection.execute("PRAGMA synchronous = full")
            found = connection.execute(
                "SELECT id FROM schedules WHERE next_fire_at IS NOT NULL AND NOT paused"
                " AND next_fire_at <= ?",
                (now,),
            )
            due = [number for (number,) in found]
            started = time.perf_counter()
            with connection:
                connection.executemany(_CLAIM, [(later, number) for number in due])
                connection.executemany(_RECORD, [(number, now, now, now) for number in due])
            answer((time.perf_counter() - started) / len(due) * 1e6)


@asynccontextmanager
async def _open_scheduler(database: Path, now: datetime) -> AsyncIterator[Scheduler]:
    """Open a scheduler that sweeps when it is asked to, and starts no run."""
    clock = ManualClock(now)
    store = Store(database, EventFactory(clock, 8))
    await store.open()
    try:
        yield Scheduler(
            store,
            clock,
            poll_interval=60,
            concurrency=4,
            catch_up_window=3600,
            late_after=300,
            run_timeout=300,
        )
    finally:
        await store.close()


def _to_text(instant: datetime) -> str:
    return instant.isoformat(" ")
