"""Actions of a user on runs: run now, cancel, retry. Functions for the store."""

from __future__ import annotations

from datetime import datetime, timedelta

from biont.exceptions import Conflict, NotFound
from biont.scheduler.tables import RunStatus, RunTrigger, Schedule, ScheduleRun

MOST_WAITING = 20
"""The most runs of one schedule that wait; a further run by hand is refused."""

_MOMENT = timedelta(microseconds=1)


def get_run(user_id: int, run_id: int) -> ScheduleRun:
    """Return a run of a schedule of the user.

    Raises:
        NotFound: no such run, or another user's.
    """
    query = ScheduleRun.select().join(Schedule)
    run: ScheduleRun | None = query.where(
        ScheduleRun.id == run_id, Schedule.user == user_id
    ).first()
    if run is None:
        raise NotFound(f"there is no run {run_id}")
    return run


def run_now(user_id: int, schedule_id: int, now: datetime) -> ScheduleRun:
    """Queue a run of a schedule for the present instant, also of a paused or finished one.

    The run waits for earlier runs of the schedule, unless the overlap is ``allow``.

    Raises:
        NotFound: no such schedule, or another user's.
        Conflict: the schedule has a run for this very instant, or `MOST_WAITING` waiting runs.
    """
    schedule = Schedule.get_owned(user_id, schedule_id)
    runs = ScheduleRun.select().where(ScheduleRun.schedule == schedule)
    if runs.where(ScheduleRun.scheduled_for == now).exists():
        raise Conflict(f"schedule {schedule_id} has a run for this instant; see its runs")
    _require_room(schedule_id)
    # After the pause, which holds the runs that were queued before.
    claimed_at = max(now, schedule.updated_at + _MOMENT) if schedule.paused else now
    return ScheduleRun.create(
        schedule=schedule,
        scheduled_for=now,
        due_at=now,
        status=RunStatus.QUEUED,
        trigger=RunTrigger.RUN_NOW,
        claimed_at=claimed_at,
    )


def cancel_run(user_id: int, run_id: int, now: datetime) -> ScheduleRun:
    """End a queued or active run as cancelled; nothing that the job did is written.

    Raises:
        NotFound: no such run, or another user's.
        Conflict: the run has ended.
    """
    run = get_run(user_id, run_id)
    if run.ended_at is not None:
        raise Conflict(
            f"run {run_id} is {_name_status(run)}; only a queued or running run can be cancelled"
        )
    run.status = RunStatus.CANCELLED
    run.ended_at = now
    run.waits_until = None
    run.reason = "cancelled by hand"
    run.save()
    return run


def retry_run(user_id: int, run_id: int) -> ScheduleRun:
    """Queue an ended run that did not succeed once more.

    Raises:
        NotFound: no such run, or another user's.
        Conflict: the run has succeeded, or has not ended, or `MOST_WAITING` runs wait.
    """
    run = get_run(user_id, run_id)
    if run.ended_at is None or run.status == RunStatus.SUCCEEDED:
        raise Conflict(
            f"run {run_id} is {_name_status(run)}; only an ended run that did not succeed "
            "can be tried again"
        )
    _require_room(run.schedule_id)
    run.status = RunStatus.QUEUED
    run.trigger = RunTrigger.RETRY
    # Interruptions are attempts less failures: a retry by hand gets all of them anew.
    run.failures = run.attempts
    run.ended_at = run.reason = None
    run.save()
    return run


def _require_room(schedule_id: int) -> None:
    waiting = ScheduleRun.select().where(
        ScheduleRun.schedule == schedule_id,
        ScheduleRun.ended_at.is_null(),
        ScheduleRun.status == RunStatus.QUEUED,
    )
    if waiting.count() >= MOST_WAITING:
        raise Conflict(
            f"schedule {schedule_id} has {MOST_WAITING} waiting runs; wait until some have ended, "
            "or cancel them"
        )


def _name_status(run: ScheduleRun) -> str:
    return run.status.replace("_", " ")
