"""Simulation: the scheduler on a virtual clock, without jobs.

The simulation calls the functions of the scheduler itself (`planner`, `claims`, `run_records`)
on a database in memory. So the result is that of the scheduler, and a change of the
scheduler changes the simulation. Only `Scheduler` and `RunExecutor`, which wait for real
time, are replaced: the clock jumps from event to event.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import NamedTuple

from biont.accounts.user_records import User
from biont.clock import VirtualClock
from biont.event import EventFactory, JsonObject
from biont.scheduler.claims import release_runs, write_claims
from biont.scheduler.planner import (
    Planner,
    RunDefaults,
    find_claims,
    find_due_retries,
    find_next_due,
    plan_schedule,
    read_instant,
)
from biont.scheduler.run_executor import make_timeout_error
from biont.scheduler.run_queue import RunQueue
from biont.scheduler.run_records import (
    StartedRun,
    end_run,
    fail_run,
    find_queued_runs,
    recover_runs,
    start_runs,
)
from biont.scheduler.tables import RunStatus, Schedule
from biont.settings.sections import SchedulerSettings
from biont.store.database import activate, execute_sql, open_sqlite
from biont.store.migration import CORE_MIGRATIONS, migrate
from biont.store.transaction import Transaction

_MOMENT = timedelta(microseconds=1)
_SLICE = 500
_READ_RUNS = (
    "SELECT schedule_id, scheduled_for, due_at, status, coalesce(reason, error), started_at,"
    " ended_at FROM schedule_runs ORDER BY due_at, id"
)
_FINISH_SCHEDULES = "UPDATE schedules SET next_fire_at = NULL"


@dataclass(frozen=True)
class Downtime:
    """Time without a scheduler; runs that are active at `start` are interrupted as by a crash."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class SimulatedRun:
    """Simulated outcome of an occurrence.

    Attributes:
        schedule: the object passed to `simulate`.
        scheduled_for: the occurrence.
        due_at: the occurrence with jitter.
        status: the status of the run.
        reason: the reason why the run would not take place, or would fail.
        started_at: the start of the last attempt.
        ended_at: the end of the run.
    """

    schedule: Schedule
    scheduled_for: datetime
    due_at: datetime
    status: RunStatus
    reason: str | None
    started_at: datetime | None
    ended_at: datetime | None


def simulate(
    schedules: Sequence[Schedule],
    start: datetime,
    end: datetime,
    settings: SchedulerSettings,
    *,
    duration: timedelta = timedelta(0),
    downtime: Downtime | None = None,
) -> list[SimulatedRun]:
    """Simulate the scheduler from `start` to `end`, both included.

    Args:
        schedules: saved or unsaved; the jitter of a schedule depends on the `id`, if any.
        start: the first instant, in UTC.
        end: the last instant, in UTC; runs that are active by then still end.
        settings: the settings of the scheduler.
        duration: the time that each job takes.
        downtime: a time without a scheduler.

    Raises:
        InvalidExpression: the timing of a schedule is not valid.
        UnknownTimeZone: no such zone.
    """
    # One transaction around all, because nothing is kept: no commits for single occurrences.
    database = open_sqlite(Path(":memory:"), busy_timeout=0)
    with database.connection_context(), activate(database):
        migrate(database, "core", CORE_MIGRATIONS)
        with database.atomic():
            simulation = _Simulation(start, settings, duration, downtime)
            by_id = simulation.add(schedules)
            simulation.run_until(end)
            return [
                SimulatedRun(
                    by_id[schedule_id],
                    datetime.fromisoformat(scheduled_for),
                    datetime.fromisoformat(due_at),
                    RunStatus(status),
                    reason,
                    read_instant(started_at),
                    read_instant(ended_at),
                )
                for schedule_id, scheduled_for, due_at, status, reason, started_at, ended_at in (
                    execute_sql(_READ_RUNS)
                )
            ]


class _ActiveRun(NamedTuple):
    """Simulated run under way; the first to end sorts first."""

    ends_at: datetime
    run_id: int
    started: StartedRun


class _Simulation:
    """Counterpart of `Scheduler` and `RunExecutor` that waits for nothing."""

    def __init__(
        self,
        start: datetime,
        settings: SchedulerSettings,
        duration: timedelta,
        downtime: Downtime | None,
    ) -> None:
        self._clock = VirtualClock(start)
        self._factory = EventFactory(self._clock, max_hops=1)
        self._settings = settings
        self._defaults = RunDefaults(
            timedelta(seconds=settings.catch_up_window), timedelta(seconds=settings.late_after)
        )
        self._duration = duration
        self._downtime = downtime
        self._queue = RunQueue()
        self._active: list[_ActiveRun] = []

    def add(self, schedules: Sequence[Schedule]) -> dict[int, Schedule]:
        """Insert copies of `schedules`; return the originals by id."""
        now = self._clock.now()
        user = User.create(name="simulation", created_at=now)
        # Unsaved schedules get ids that no saved schedule has, because jitter depends on the id.
        taken = {schedule.id for schedule in schedules}
        free = (schedule_id for schedule_id in count(1) if schedule_id not in taken)
        by_id = {schedule.id or next(free): schedule for schedule in schedules}
        for schedule_id, schedule in by_id.items():
            columns = {**schedule.__data__, "id": schedule_id, "user": user, "slug": None}
            copied = Schedule(**columns)
            if not copied.paused:
                # An occurrence exactly at the start is part of the simulation.
                plan_schedule(copied, now - _MOMENT)
            copied.save(force_insert=True)
        return by_id

    def run_until(self, end: datetime) -> None:
        """Simulate up to `end`, then let the active runs end."""
        self._run(end)
        # No further occurrence may begin a run after the end; retries of active runs still may.
        execute_sql(_FINISH_SCHEDULES)
        self._run(None)

    def _run(self, end: datetime | None) -> None:
        while (at := self._find_next()) is not None and (end is None or at <= end):
            if self._downtime is not None and at >= self._downtime.start:
                self._go_down(self._downtime)
            else:
                self._clock.at = max(at, self._clock.at)
            self._end_runs()
            self._sweep()
            self._start_runs()

    def _find_next(self) -> datetime | None:
        ends = [self._active[0].ends_at] if self._active else []
        due = find_next_due()
        return min([*ends, *([] if due is None else [due])], default=None)

    def _go_down(self, downtime: Downtime) -> None:
        # As after a crash: memory is lost, and the tables are recovered.
        self._downtime = None
        self._active.clear()
        self._queue = RunQueue()
        self._clock.at = max(downtime.end, self._clock.at)
        recover_runs(self._clock.now())
        for run in find_queued_runs():
            self._queue.add(run)

    def _sweep(self) -> None:
        planner = Planner(self._clock.now(), self._defaults)
        queued = []
        if retries := find_due_retries(planner.now):
            queued += release_runs(retries)
        while claims := find_claims(planner, _SLICE):
            queued += write_claims(claims, planner.now)
        for run in queued:
            self._queue.add(run)

    def _start_runs(self) -> None:
        while run_ids := self._queue.take(self._settings.concurrency - len(self._active)):
            now = self._clock.now()
            started_runs = start_runs(list(run_ids), now, self._defaults)
            for started in started_runs:
                ends_at = now + min(self._duration, self._find_timeout(started))
                heapq.heappush(self._active, _ActiveRun(ends_at, started.run.id, started))
            for run_id in set(run_ids) - {started.run.id for started in started_runs}:
                self._queue.remove(run_id)
            # A job that takes no time frees its place, and the next may start in this instant.
            self._end_runs()

    def _end_runs(self) -> None:
        now = self._clock.now()
        while self._active and self._active[0].ends_at <= now:
            ended = heapq.heappop(self._active)
            timeout = self._find_timeout(ended.started)
            if self._duration > timeout:
                fail_run(ended.started, make_timeout_error(timeout.total_seconds()), now)
            else:
                end_run(Transaction(self._factory), ended.started.run, _write_nothing, now)
            self._queue.remove(ended.run_id)

    def _find_timeout(self, started: StartedRun) -> timedelta:
        return timedelta(seconds=started.find_timeout(self._settings.run_timeout))


def _write_nothing(_: Transaction) -> JsonObject:
    return {}
