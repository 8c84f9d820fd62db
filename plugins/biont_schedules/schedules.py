"""What is done with schedules, inside a store function."""

from __future__ import annotations

from datetime import datetime

from biont import Schedule, ScheduleRun, Transaction, plan_schedule


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
    schedule = Schedule.create(
        user=user_id,
        name=name,
        job_kind=job_kind,
        parameters=parameters,
        expression=expression,
        time_zone=time_zone,
        created_at=now,
        updated_at=now,
    )
    plan_schedule(schedule, now)
    schedule.save()
    return schedule


def pause_schedule(_: Transaction, user_id: int, schedule_id: int, now: datetime) -> Schedule:
    """Let nothing of a schedule fall due until it is resumed."""
    schedule = Schedule.get_owned(user_id, schedule_id)
    schedule.paused = True
    schedule.next_fire_at = None
    schedule.updated_at = now
    schedule.save()
    return schedule


def resume_schedule(_: Transaction, user_id: int, schedule_id: int, now: datetime) -> Schedule:
    """Let a schedule fall due again; what passed while it was paused is not made up for."""
    schedule = Schedule.get_owned(user_id, schedule_id)
    if schedule.paused:
        schedule.paused = False
        plan_schedule(schedule, now)
        schedule.updated_at = now
        schedule.save()
    return schedule


def delete_schedule(_: Transaction, user_id: int, schedule_id: int) -> None:
    """Delete a schedule with the record of its runs; their notes and events stay."""
    Schedule.get_owned(user_id, schedule_id).delete_instance()


def select_runs(
    user_id: int, schedule_id: int, limit: int, before: int | None
) -> list[ScheduleRun]:
    """Return a page of a schedule's runs and one more, the newest first."""
    schedule = Schedule.get_owned(user_id, schedule_id)
    query = ScheduleRun.select().where(ScheduleRun.schedule == schedule)
    if before is not None:
        query = query.where(ScheduleRun.id < before)
    return list(query.order_by(ScheduleRun.id.desc()).limit(limit + 1))
