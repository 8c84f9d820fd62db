"""What is done with schedules, inside a store function."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice

from biont.exceptions import Conflict, InputProblem, InvalidInput
from biont.scheduling import RunStatus, Schedule, ScheduleRun, Timing, plan_schedule
from biont_schedules.timing import read_timing

_TIMED_BY = frozenset(
    {"kind", "expression", "seconds", "every", "at", "time_zone", "starts_at", "ends_at"}
    | {"jitter", "max_runs"}
)
_LOOKED_AT = 1000

FILE = "file"
"""The `Schedule.origin` of what stands in a file."""


def insert_schedule(user_id: int, columns: Mapping[str, object], now: datetime) -> Schedule:
    """Keep a schedule that is due from now on.

    Raises:
        InvalidInput: it would never be due.
    """
    schedule = Schedule.create(user=user_id, created_at=now, updated_at=now, **columns)
    _plan(schedule, now)
    _check_due(schedule)
    schedule.save()
    return schedule


def change_schedule(
    user_id: int,
    schedule_id: int,
    columns: Mapping[str, object],
    now: datetime,
) -> Schedule:
    """Change what `columns` name; when it is due is worked out anew only if they touch it.

    Raises:
        NotFound: there is no such schedule, or it is somebody else's.
        Conflict: it is declared in a file, or belongs to something else.
        InvalidInput: what it would say does not fit together.
    """
    return apply_change(get_editable(user_id, schedule_id), columns, now)


def apply_change(schedule: Schedule, columns: Mapping[str, object], now: datetime) -> Schedule:
    """Do what `change_schedule` does, whoever may edit the schedule.

    Raises:
        InvalidInput: what it would say does not fit together.
    """
    for name, value in columns.items():
        setattr(schedule, name, value)
    if _TIMED_BY & columns.keys() and not schedule.paused:
        _plan(schedule, now)
        if "kind" in columns:
            _check_due(schedule)
    schedule.updated_at = now
    schedule.save()
    return schedule


def pause_schedule(user_id: int, schedule_id: int, now: datetime) -> Schedule:
    """Let nothing of a schedule fall due until it is resumed."""
    schedule = Schedule.get_owned(user_id, schedule_id)
    schedule.paused = True
    schedule.next_fire_at = None
    schedule.updated_at = now
    schedule.save()
    return schedule


def resume_schedule(user_id: int, schedule_id: int, now: datetime) -> Schedule:
    """Let a schedule fall due again; what passed while it was paused is not made up for."""
    schedule = Schedule.get_owned(user_id, schedule_id)
    if schedule.paused:
        schedule.paused = False
        plan_schedule(schedule, now)
        schedule.updated_at = now
        schedule.save()
    return schedule


def delete_schedule(user_id: int, schedule_id: int) -> None:
    """Delete a schedule with the record of its runs; their notes and events stay.

    Raises:
        NotFound: there is no such schedule, or it is somebody else's.
        Conflict: it is declared in a file, or belongs to something else.
    """
    get_editable(user_id, schedule_id).delete_instance()


def get_editable(user_id: int, schedule_id: int) -> Schedule:
    """Return a schedule that may be changed.

    Raises:
        NotFound: there is no such schedule, or it is somebody else's.
        Conflict: it is declared in a file, or belongs to something else.
    """
    schedule = Schedule.get_owned(user_id, schedule_id)
    if schedule.origin is not None:
        owner = "is declared in a file" if schedule.origin == FILE else f"is a {schedule.origin}'s"
        raise Conflict(f"schedule {schedule_id} {owner}; change it there")
    return schedule


def select_runs(
    user_id: int, schedule_id: int, status: RunStatus | None, limit: int, before: int | None
) -> list[ScheduleRun]:
    """Return a page of a schedule's runs and one more, the newest first."""
    schedule = Schedule.get_owned(user_id, schedule_id)
    query = ScheduleRun.select().where(ScheduleRun.schedule == schedule)
    if status is not None:
        query = query.where(ScheduleRun.status == status)
    if before is not None:
        query = query.where(ScheduleRun.id < before)
    return list(query.order_by(ScheduleRun.id.desc()).limit(limit + 1))


def select_upcoming(user_id: int, limit: int) -> list[tuple[datetime, Schedule]]:
    """Return the next instants of a user's schedules, with their jitter, the soonest first."""
    due = Schedule.of_user(user_id).where(Schedule.next_fire_at.is_null(False), ~Schedule.paused)
    soonest = list(due.order_by(Schedule.next_fire_at).limit(_LOOKED_AT))
    merged = heapq.merge(*map(_list_instants, soonest), key=lambda found: found[0])
    return list(islice(merged, limit))


def _list_instants(schedule: Schedule) -> Iterator[tuple[datetime, Schedule]]:
    first = schedule.next_fire_at
    assert first is not None  # noqa: S101  # narrows the type for mypy
    yield first, schedule
    timing = Timing.of(schedule)
    after = timing.instants(first)
    left = None if schedule.max_runs is None else schedule.max_runs - schedule.run_count - 1
    yield from ((instant, schedule) for instant in islice(after, left))


def _check_due(schedule: Schedule) -> None:
    if schedule.next_fire_at is None:
        raise InvalidInput(
            InputProblem(
                "it would never be due; give an instant in the future",
                "#/ends_at" if schedule.ends_at is not None else f"#/{schedule.kind}",
            )
        )


def _plan(schedule: Schedule, now: datetime) -> None:
    read_timing(schedule)
    plan_schedule(schedule, now)
