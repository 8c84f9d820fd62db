"""What the scheduler writes: each due instant becomes exactly one row."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from biont.cron import CronExpression, parse_time_zone
from biont.scheduler.events import SCHEDULED_TRIGGER
from biont.scheduler.jobs import Finish, Run
from biont.scheduler.tables import RunStatus, Schedule, ScheduleRun
from biont.store import Transaction

_INSTANTS_A_CLAIM = 200
_MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class Claim:
    """What one schedule owes, worked out before it is written."""

    schedule_id: int
    due_at: datetime
    instants: Sequence[tuple[datetime, RunStatus]]
    next_fire_at: datetime | None


def find_claims(now: datetime, limit: int, window: timedelta) -> list[Claim]:
    """Return what up to `limit` due schedules owe at `now`.

    Of several missed instants the latest is run, if it is younger than
    `window`; the others are recorded as coalesced, or as missed when older.
    """
    due = (
        Schedule.select(
            Schedule.id, Schedule.expression, Schedule.time_zone, Schedule.next_fire_at
        )
        # As written in the partial index, or SQLite does not use it.
        .where(Schedule.next_fire_at.is_null(False), ~Schedule.paused)
        .where(Schedule.next_fire_at <= now)
        .order_by(Schedule.next_fire_at)
        .limit(limit)
    )
    return [_work_out(schedule, now, window) for schedule in due]


def _work_out(schedule: Schedule, now: datetime, window: timedelta) -> Claim:
    expression = CronExpression.parse(schedule.expression)
    zone = parse_time_zone(schedule.time_zone)
    first = schedule.next_fire_at
    assert first is not None  # noqa: S101  # narrows the type for mypy
    instants: list[tuple[datetime, RunStatus]] = []
    instant: datetime | None = first
    while instant is not None and instant <= now and len(instants) < _INSTANTS_A_CLAIM:
        following = expression.next_after(instant, zone)
        is_latest = following is None or following > now
        instants.append((instant, _judge(now - instant <= window, is_latest)))
        instant = following
    return Claim(schedule.id, first, instants, instant)


def _judge(is_recent: bool, is_latest: bool) -> RunStatus:
    if not is_recent:
        return RunStatus.MISSED
    return RunStatus.QUEUED if is_latest else RunStatus.COALESCED


def write_claims(_: Transaction, claims: Sequence[Claim], now: datetime) -> list[int]:
    """Record what `claims` say and return the runs that are to be started.

    A claim whose schedule has changed since it was worked out is left out.
    """
    busy = _find_busy([claim.schedule_id for claim in claims])
    queued: list[int] = []
    for claim in claims:
        moved = (
            Schedule.update(next_fire_at=claim.next_fire_at)
            .where(
                Schedule.id == claim.schedule_id,
                Schedule.next_fire_at == claim.due_at,
                ~Schedule.paused,
            )
            .execute()
        )
        if moved:
            queued += _insert_runs(claim, now, is_busy=claim.schedule_id in busy)
    return queued


def _find_busy(schedule_ids: Sequence[int]) -> set[int]:
    unfinished = ScheduleRun.select(ScheduleRun.schedule).where(
        ScheduleRun.ended_at.is_null(), ScheduleRun.schedule.in_(list(schedule_ids))
    )
    return {run.schedule_id for run in unfinished}


def _insert_runs(claim: Claim, now: datetime, *, is_busy: bool) -> list[int]:
    queued: list[int] = []
    for instant, judged in claim.instants:
        status = judged
        if status is RunStatus.QUEUED and is_busy:
            status = RunStatus.SKIPPED_OVERLAP
        run_id = (
            ScheduleRun.insert(
                schedule=claim.schedule_id,
                scheduled_for=instant,
                status=status,
                attempts=0,
                claimed_at=now,
                ended_at=None if status is RunStatus.QUEUED else now,
            )
            .on_conflict_ignore()
            .execute()
        )
        if status is RunStatus.QUEUED and run_id:
            queued.append(run_id)
    return queued


def find_unfinished() -> list[int]:
    """Return the runs that a former process has left queued or running."""
    query = ScheduleRun.select(ScheduleRun.id).where(ScheduleRun.ended_at.is_null())
    return [run.id for run in query.order_by(ScheduleRun.id)]


def start_run(_: Transaction, run_id: int, now: datetime) -> tuple[Run, str] | None:
    """Mark a run as running; return it with its kind of job.

    None means that there is nothing to do: its schedule was deleted, or it was
    interrupted by a crash too often and is failed by now.
    """
    row = ScheduleRun.get_or_none(ScheduleRun.id == run_id, ScheduleRun.ended_at.is_null())
    if row is None:
        return None
    if row.attempts >= _MAX_ATTEMPTS:
        row.status = RunStatus.FAILED
        row.ended_at = now
        row.error = f"interrupted {row.attempts} times by a crash; run it again by hand"
        row.save()
        return None
    row.status = RunStatus.RUNNING
    row.attempts += 1
    row.started_at = now
    row.save()
    schedule = row.schedule
    run = Run(
        id=row.id,
        schedule_id=schedule.id,
        schedule_name=schedule.name,
        user_id=schedule.user_id,
        scheduled_for=row.scheduled_for,
        time_zone=schedule.time_zone,
        attempts=row.attempts,
        parameters=schedule.parameters,
    )
    return run, schedule.job_kind


def end_run(tx: Transaction, run: Run, finish: Finish, now: datetime) -> None:
    """Write a run's outcome and its ``scheduled_trigger`` event, all in one."""
    if not ScheduleRun.select().where(ScheduleRun.id == run.id).exists():
        return
    result = dict(finish(tx))
    ScheduleRun.update(
        status=RunStatus.SUCCEEDED, ended_at=now, result=orjson.dumps(result).decode()
    ).where(ScheduleRun.id == run.id).execute()
    tx.emit(
        SCHEDULED_TRIGGER.name,
        run.user_id,
        {
            **result,
            "schedule_id": run.schedule_id,
            "run_id": run.id,
            "name": run.schedule_name,
            "scheduled_for": run.scheduled_for.isoformat(),
            "status": RunStatus.SUCCEEDED.value,
        },
    )


def fail_run(_: Transaction, run: Run, error: BaseException, now: datetime) -> None:
    """Record that a run has failed, and why."""
    reason = "".join(traceback.format_exception_only(error)).strip()
    ScheduleRun.update(status=RunStatus.FAILED, ended_at=now, error=reason).where(
        ScheduleRun.id == run.id
    ).execute()
