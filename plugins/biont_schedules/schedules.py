"""Operations on schedules: create, change, pause, delete, list. Functions for the store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from biont.exceptions import (
    Conflict,
    InputProblem,
    InvalidExpression,
    InvalidInput,
    UnknownTimeZone,
)
from biont.scheduling import RunStatus, Schedule, ScheduleRun, TimingKind, plan_schedule
from biont.store import Span
from biont_schedules.timing import name_field, read_timing

_TIMING_COLUMNS = frozenset(
    {"kind", "expression", "seconds", "every", "at", "time_zone", "starts_at", "ends_at"}
)
_LIMIT_COLUMNS = frozenset({"jitter", "max_runs"})
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


def apply_change(schedule: Schedule, columns: Mapping[str, object], now: datetime) -> Schedule:
    """Change `columns` of a schedule, also of a schedule that users cannot edit.

    The next occurrence changes only with the timing. A timing is judged also while the schedule is
    paused, because nobody looks at the schedule later, when it is resumed.

    Raises:
        InvalidInput: the changed schedule would not be valid.
    """
    if not columns:
        return schedule
    merge_change(schedule, columns, now)
    schedule.updated_at = now
    schedule.save()
    return schedule


def merge_change(schedule: Schedule, columns: Mapping[str, object], now: datetime) -> None:
    """Change `columns` of a schedule in memory, as `apply_change` does.

    Raises:
        InvalidInput: the changed schedule would not be valid.
    """
    for name, value in columns.items():
        setattr(schedule, name, value)
    # A changed name must not move an interval or make up for an occurrence that is due now.
    if (_TIMING_COLUMNS | _LIMIT_COLUMNS) & columns.keys():
        _plan_valid(schedule, now)
        if _TIMING_COLUMNS & columns.keys():
            _require_due(schedule)
        if schedule.paused:
            schedule.next_fire_at = None


def pause_schedule(user_id: int, schedule_id: int, now: datetime) -> Schedule:
    """Pause a schedule: nothing is due until `resume_schedule`."""
    schedule = Schedule.get_owned(user_id, schedule_id)
    schedule.paused = True
    schedule.next_fire_at = None
    schedule.updated_at = now
    schedule.save()
    return schedule


def resume_schedule(user_id: int, schedule_id: int, now: datetime) -> Schedule:
    """Resume a paused schedule; occurrences that passed meanwhile are not caught up.

    Raises:
        NotFound: no such schedule, or another user's.
        Conflict: the timing is not valid.
    """
    schedule = Schedule.get_owned(user_id, schedule_id)
    if schedule.paused:
        schedule.paused = False
        try:
            plan_schedule(schedule, now)
        except (InvalidExpression, UnknownTimeZone) as error:
            # Stored by a version that did not judge the timing of a paused schedule.
            raise Conflict(
                f"schedule {schedule_id} cannot be due: {error}; change its timing first"
            ) from error
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
    user_id: int, schedule_id: int, status: RunStatus | None, limit: int, span: Span
) -> list[ScheduleRun]:
    """Return a page of a schedule's runs and a further row, in the order of the span."""
    schedule = Schedule.get_owned(user_id, schedule_id)
    query = ScheduleRun.select().where(ScheduleRun.schedule == schedule)
    if status is not None:
        query = query.where(ScheduleRun.status == status)
    return span.read(query, limit, key=ScheduleRun.id, time=ScheduleRun.claimed_at)


def _require_due(schedule: Schedule) -> None:
    if schedule.next_fire_at is None and schedule.has_had_its_runs:
        raise InvalidInput(
            InputProblem(
                f"the schedule has had its {schedule.run_count} runs; allow more", "#/max_runs"
            )
        )
    if schedule.next_fire_at is None:
        if schedule.ends_at is not None:
            place, remedy = "ends_at", "give a later instant"
        elif schedule.kind == TimingKind.AT:
            place, remedy = "at", "give an instant in the future"
        else:
            place = name_field(schedule.kind)
            remedy = f"change '{place}' or 'starts_at'"
        raise InvalidInput(
            InputProblem(f"the schedule would never be due; {remedy}", f"#/{place}")
        )


def _plan_valid(schedule: Schedule, now: datetime) -> None:
    read_timing(schedule)
    plan_schedule(schedule, now)


def count_schedules(user_id: int) -> int:
    """Return the number of a user's schedules, without those that are declared in a file."""
    made = Schedule.origin.is_null() | (Schedule.origin != FILE)
    return int(Schedule.select().where(Schedule.user == user_id, made).count())
