"""What a user does to runs by hand, inside a store function."""

from __future__ import annotations

from datetime import datetime

from biont.exceptions import Conflict, NotFound
from biont.scheduler.tables import RunStatus, RunTrigger, Schedule, ScheduleRun


def get_run(user_id: int, run_id: int) -> ScheduleRun:
    """Return a run of one of the user's schedules.

    Raises:
        NotFound: there is none of that number, or it is somebody else's.
    """
    query = ScheduleRun.select().join(Schedule)
    run: ScheduleRun | None = query.where(
        ScheduleRun.id == run_id, Schedule.user == user_id
    ).first()
    if run is None:
        raise NotFound(f"there is no run {run_id}")
    return run


def run_now(user_id: int, schedule_id: int, now: datetime) -> ScheduleRun:
    """Queue a run of a schedule for the present instant, also when it is paused or finished.

    It waits for earlier runs of the schedule, unless their overlap is ``allow``.

    Raises:
        NotFound: there is no such schedule, or it is somebody else's.
        Conflict: it has a run for this very instant.
    """
    schedule = Schedule.get_owned(user_id, schedule_id)
    runs = ScheduleRun.select().where(
        ScheduleRun.schedule == schedule, ScheduleRun.scheduled_for == now
    )
    if runs.exists():
        raise Conflict(f"schedule {schedule_id} has a run for this instant; see its runs")
    return ScheduleRun.create(
        schedule=schedule,
        scheduled_for=now,
        due_at=now,
        status=RunStatus.QUEUED,
        trigger=RunTrigger.RUN_NOW,
        claimed_at=now,
    )


def cancel_run(user_id: int, run_id: int, now: datetime) -> ScheduleRun:
    """End a run that waits or goes on as cancelled; what its job was at is not written.

    Raises:
        NotFound: there is no such run, or it is somebody else's.
        Conflict: it has ended.
    """
    run = get_run(user_id, run_id)
    if run.ended_at is not None:
        raise Conflict(f"run {run_id} {_tell(run)}; only what waits or goes on can be cancelled")
    run.status = RunStatus.CANCELLED
    run.ended_at = now
    run.waits_until = None
    run.reason = "cancelled by hand"
    run.save()
    return run


def retry_run(user_id: int, run_id: int) -> ScheduleRun:
    """Queue a run once more that has ended, but did not succeed.

    Raises:
        NotFound: there is no such run, or it is somebody else's.
        Conflict: it has succeeded, or has not ended.
    """
    run = get_run(user_id, run_id)
    if run.ended_at is None or run.status == RunStatus.SUCCEEDED:
        raise Conflict(f"run {run_id} {_tell(run)}; only what did not succeed can be tried again")
    run.status = RunStatus.QUEUED
    run.trigger = RunTrigger.RETRY
    # Earlier interruptions do not count against it.
    run.failures = run.attempts
    run.ended_at = run.reason = None
    run.save()
    return run


def _tell(run: ScheduleRun) -> str:
    return f"is {run.status.replace('_', ' ')}"
