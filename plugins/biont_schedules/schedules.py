"""Operations on schedules: create, change, pause, delete, list. Functions for the store."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice

from biont.exceptions import Conflict, InputProblem, InvalidInput
from biont.scheduling import RunStatus, Schedule, ScheduleRun, Timing, plan_schedule
from biont_schedules.timing import read_timing

_TIMING_COLUMNS = frozenset(
    {"kind", "expression", "seconds", "every", "at", "time_zone", "starts_at", "ends_at"}
    | {"jitter", "max_runs"}
)
_MAX_LISTED = 1000
"""The number of schedules that `select_upcoming` reads; no page is longer."""

FILE = "file"
"""The `Schedule.origin` of declared schedules."""


def insert_schedule(user_id: int, columns: Mapping[str, object], now: datetime) -> Schedule:
    """Create a schedule that is due from now on.

    Raises:
        InvalidInput: the timing is not valid, or has no occurrence in the future.
    """
    # Inserted before it is planned, because jitter depends on the id.
    schedule = Schedule.create(user=user_id, created_at=now, updated_at=now, **columns)
    _plan_valid(schedule, now)
    _require_due(schedule)
    schedule.save()
    return schedule


def change_schedule(
    user_id: int,
    schedule_id: int,
    columns: Mapping[str, object],
    now: datetime,
) -> Schedule:
    """Change `columns` of a schedule; the next occurrence changes only with the timing.

    Raises:
        NotFound: no such schedule, or another user's.
        Conflict: the schedule is declared in a file, or belongs to another object.
        InvalidInput: the changed schedule would not be valid.
    """
    return apply_change(get_editable(user_id, schedule_id), columns, now)


def apply_change(schedule: Schedule, columns: Mapping[str, object], now: datetime) -> Schedule:
    """Change `columns` of a schedule, also of a schedule that users cannot edit.

    Raises:
        InvalidInput: the changed schedule would not be valid.
    """
    for name, value in columns.items():
        setattr(schedule, name, value)
    # A changed name must not move an interval or make up for an occurrence that is due now.
    if _TIMING_COLUMNS & columns.keys() and not schedule.paused:
        _plan_valid(schedule, now)
        if "kind" in columns:
            _require_due(schedule)
    schedule.updated_at = now
    schedule.save()
    return schedule


def pause_schedule(user_id: int, schedule_id: int, now: datetime) -> Schedule:
    """Pause a schedule: nothing is due until `resume_schedule`."""
    schedule = Schedule.get_owned(user_id, schedule_id)
    schedule.paused = True
    schedule.next_fire_at = None
    schedule.updated_at = now
    schedule.save()
    return schedule


def resume_schedule(user_id: int, schedule_id: int, now: datetime) -> Schedule:
    """Resume a paused schedule; occurrences that passed meanwhile are not caught up."""
    schedule = Schedule.get_owned(user_id, schedule_id)
    if schedule.paused:
        schedule.paused = False
        plan_schedule(schedule, now)
        schedule.updated_at = now
        schedule.save()
    return schedule


def delete_schedule(user_id: int, schedule_id: int) -> None:
    """Delete a schedule with its runs; notes and events of the runs stay.

    Raises:
        NotFound: no such schedule, or another user's.
        Conflict: the schedule is declared in a file, or belongs to another object.
    """
    get_editable(user_id, schedule_id).delete_instance()


def get_editable(user_id: int, schedule_id: int) -> Schedule:
    """Return a schedule that the user may edit.

    Raises:
        NotFound: no such schedule, or another user's.
        Conflict: the schedule is declared in a file, or belongs to another object.
    """
    schedule = Schedule.get_owned(user_id, schedule_id)
    if schedule.origin is not None:
        owner = "is declared in a file" if schedule.origin == FILE else f"is a {schedule.origin}'s"
        raise Conflict(f"schedule {schedule_id} {owner}; change it there")
    return schedule


def select_runs(
    user_id: int, schedule_id: int, status: RunStatus | None, limit: int, before: int | None
) -> list[ScheduleRun]:
    """Return a page of a schedule's runs and a further row, the newest first."""
    schedule = Schedule.get_owned(user_id, schedule_id)
    query = ScheduleRun.select().where(ScheduleRun.schedule == schedule)
    if status is not None:
        query = query.where(ScheduleRun.status == status)
    if before is not None:
        query = query.where(ScheduleRun.id < before)
    return list(query.order_by(ScheduleRun.id.desc()).limit(limit + 1))


def select_upcoming(user_id: int, limit: int) -> list[tuple[datetime, Schedule]]:
    """Return the next occurrences of a user's schedules, the soonest first."""
    due = Schedule.of_user(user_id).where(Schedule.next_fire_at.is_null(False), ~Schedule.paused)
    soonest = list(due.order_by(Schedule.next_fire_at).limit(_MAX_LISTED))
    # Lazily merged: a schedule that is due each second is not listed further than needed.
    by_schedule = [
        _list_instants(schedule, schedule.next_fire_at)
        for schedule in soonest
        if schedule.next_fire_at is not None
    ]
    merged = heapq.merge(*by_schedule, key=lambda found: found[0])
    return list(islice(merged, limit))


def _list_instants(schedule: Schedule, first: datetime) -> Iterator[tuple[datetime, Schedule]]:
    yield first, schedule
    timing = Timing.of(schedule)
    after = timing.instants(first)
    left = None if schedule.max_runs is None else schedule.max_runs - schedule.run_count - 1
    yield from ((instant, schedule) for instant in islice(after, left))


def _require_due(schedule: Schedule) -> None:
    if schedule.next_fire_at is None:
        raise InvalidInput(
            InputProblem(
                "the schedule would never be due; give an instant in the future",
                "#/ends_at" if schedule.ends_at is not None else f"#/{schedule.kind}",
            )
        )


def _plan_valid(schedule: Schedule, now: datetime) -> None:
    read_timing(schedule)
    plan_schedule(schedule, now)
