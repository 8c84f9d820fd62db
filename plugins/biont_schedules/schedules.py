"""What is done with schedules, inside a store function."""

from __future__ import annotations

from datetime import datetime

from biont import CronExpression, Schedule, ScheduleRun, Transaction, parse_time_zone
from biont.exceptions import NotFound


def insert_schedule(
    _: Transaction,
    user_id: int,
    *,
    name: str,
    job_kind: str,
    parameters: str,
    expression: str,
    time_zone: str,
    now: datetime,
) -> Schedule:
    """Keep a schedule that is due from now on."""
    return Schedule.create(
        user=user_id,
        name=name,
        job_kind=job_kind,
        parameters=parameters,
        expression=expression,
        time_zone=time_zone,
        paused=False,
        next_fire_at=_find_next(expression, time_zone, now),
        created_at=now,
        updated_at=now,
    )


def select_schedules(user_id: int, limit: int, before: int | None) -> list[Schedule]:
    """Return a page of a user's schedules and one more, the newest first."""
    query = Schedule.of_user(user_id)
    if before is not None:
        query = query.where(Schedule.id < before)
    return list(query.order_by(Schedule.id.desc()).limit(limit + 1))


def get_schedule(user_id: int, schedule_id: int) -> Schedule:
    """Return a user's schedule.

    Raises:
        NotFound: there is none of that number, or it is somebody else's.
    """
    schedule = Schedule.of_user(user_id).where(Schedule.id == schedule_id).get_or_none()
    if schedule is None:
        raise NotFound(f"there is no schedule {schedule_id}")
    return schedule


def pause_schedule(_: Transaction, user_id: int, schedule_id: int, now: datetime) -> Schedule:
    """Let nothing of a schedule fall due until it is resumed."""
    schedule = get_schedule(user_id, schedule_id)
    schedule.paused = True
    schedule.next_fire_at = None
    schedule.updated_at = now
    schedule.save()
    return schedule


def resume_schedule(_: Transaction, user_id: int, schedule_id: int, now: datetime) -> Schedule:
    """Let a schedule fall due again; what passed while it was paused is not made up for."""
    schedule = get_schedule(user_id, schedule_id)
    if schedule.paused:
        schedule.paused = False
        schedule.next_fire_at = _find_next(schedule.expression, schedule.time_zone, now)
        schedule.updated_at = now
        schedule.save()
    return schedule


def delete_schedule(_: Transaction, user_id: int, schedule_id: int) -> None:
    """Delete a schedule with the record of its runs; their notes and events stay."""
    get_schedule(user_id, schedule_id).delete_instance()


def select_runs(
    user_id: int, schedule_id: int, limit: int, before: int | None
) -> list[ScheduleRun]:
    """Return a page of a schedule's runs and one more, the newest first."""
    schedule = get_schedule(user_id, schedule_id)
    query = ScheduleRun.select().where(ScheduleRun.schedule == schedule)
    if before is not None:
        query = query.where(ScheduleRun.id < before)
    return list(query.order_by(ScheduleRun.id.desc()).limit(limit + 1))


def _find_next(expression: str, time_zone: str, now: datetime) -> datetime | None:
    return CronExpression.parse(expression).next_after(now, parse_time_zone(time_zone))
