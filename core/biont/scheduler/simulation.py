"""The scheduler on a clock of its own: what would become of each instant."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from biont.accounts.users import User
from biont.clock import VirtualClock
from biont.event import EventFactory, JsonObject
from biont.scheduler.claims import release, write_claims
from biont.scheduler.planner import (
    Planner,
    RunDefaults,
    find_claims,
    find_next_due,
    find_waiting,
    plan_schedule,
)
from biont.scheduler.run_executor import took_too_long
from biont.scheduler.run_queue import RunQueue
from biont.scheduler.run_records import (
    StartedRun,
    end_run,
    fail_run,
    find_queued,
    recover,
    start_runs,
)
from biont.scheduler.tables import RunStatus, Schedule
from biont.settings.sections import SchedulerSettings
from biont.store.database import activate, execute_sql, open_sqlite
from biont.store.schema import CORE_MIGRATIONS, migrate
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
    """When nothing runs: what goes on at `start` is interrupted, as by a crash."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class SimulatedRun:
    """What would become of one instant.

    Attributes:
        schedule: whose; the object that was given.
        scheduled_for: the instant.
        due_at: the same with jitter.
        status: a `RunStatus`.
        reason: why it would not run, or fail.
        started_at: when its last try would start.
        ended_at: when it would end.
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
    """Let the scheduler run from `start` to `end`, both included, in a moment.

    It is the real one: what is due, what is claimed and what the ledger says is found and
    written by the same code, in a database in memory. Only the jobs do nothing.

    Args:
        schedules: they need no `id`; those that have one keep their jitter.
        start: in UTC.
        end: in UTC; what goes on by then is seen to its end.
        settings: what the operator wrote.
        duration: how long each job takes.
        downtime: when nothing runs.

    Raises:
        InvalidExpression: what a schedule says about when it is due is not valid.
        UnknownTimeZone: there is no such zone.
    """
    database = open_sqlite(Path(":memory:"), busy_timeout=0)
    with database.connection_context(), activate(database):
        migrate(database, "core", CORE_MIGRATIONS)
        with database.atomic():
            simulation = _Simulation(start, settings, duration, downtime)
            known = simulation.add(schedules)
            simulation.run_until(end)
            return [
                SimulatedRun(
                    known[schedule_id],
                    datetime.fromisoformat(scheduled_for),
                    datetime.fromisoformat(due_at),
                    RunStatus(status),
                    reason,
                    _read_instant(started_at),
                    _read_instant(ended_at),
                )
                for schedule_id, scheduled_for, due_at, status, reason, started_at, ended_at in (
                    execute_sql(_READ_RUNS)
                )
            ]


class _Simulation:
    """Does what `Scheduler` and `Runner` do, but waits for nothing."""

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
        self._line = RunQueue()
        self._going: list[tuple[datetime, int, StartedRun]] = []

    def add(self, schedules: Sequence[Schedule]) -> dict[int, Schedule]:
        """Put copies of `schedules` into the tables; return the originals by their numbers."""
        now = self._clock.now()
        user = User.create(name="simulation", created_at=now)
        taken = {schedule.id for schedule in schedules}
        free = (number for number in count(1) if number not in taken)
        known = {schedule.id or next(free): schedule for schedule in schedules}
        for number, schedule in known.items():
            columns = {**schedule.__data__, "id": number, "user": user, "slug": None}
            copied = Schedule(**columns)
            if not copied.paused:
                plan_schedule(copied, now - _MOMENT)
            copied.save(force_insert=True)
        return known

    def run_until(self, end: datetime) -> None:
        """Let everything happen that is due up to `end`, and then what goes on still end."""
        self._run(end)
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
        ends = [self._going[0][0]] if self._going else []
        due = find_next_due()
        return min([*ends, *([] if due is None else [due])], default=None)

    def _go_down(self, downtime: Downtime) -> None:
        self._downtime = None
        self._going.clear()
        self._line = RunQueue()
        self._clock.at = max(downtime.end, self._clock.at)
        recover(self._clock.now())
        for waiting in find_queued():
            self._line.add(waiting)

    def _sweep(self) -> None:
        plans = Planner(self._clock.now(), self._defaults)
        queued = []
        if waiting := find_waiting(plans.now):
            queued += release(waiting)
        while claims := find_claims(plans, _SLICE):
            queued += write_claims(claims, plans.now)
        for run in queued:
            self._line.add(run)

    def _start_runs(self) -> None:
        while run_ids := self._line.take(self._settings.concurrency - len(self._going)):
            now = self._clock.now()
            works = start_runs(list(run_ids), now, self._defaults)
            for work in works:
                ends_at = now + min(self._duration, self._find_timeout(work))
                heapq.heappush(self._going, (ends_at, work.run.id, work))
            for run_id in set(run_ids) - {work.run.id for work in works}:
                self._line.leave(run_id)
            self._end_runs()

    def _end_runs(self) -> None:
        now = self._clock.now()
        while self._going and self._going[0][0] <= now:
            _, run_id, work = heapq.heappop(self._going)
            timeout = self._find_timeout(work)
            if self._duration > timeout:
                fail_run(work, took_too_long(timeout.total_seconds()), now)
            else:
                end_run(self._begin(), work.run, _finish, now)
            self._line.leave(run_id)

    def _find_timeout(self, work: StartedRun) -> timedelta:
        timeout = self._settings.run_timeout if work.timeout is None else work.timeout
        return timedelta(seconds=timeout)

    def _begin(self) -> Transaction:
        return Transaction(self._factory)


def _finish(_: Transaction) -> JsonObject:
    return {}


def _read_instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
