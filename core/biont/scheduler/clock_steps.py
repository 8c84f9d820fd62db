"""Backward steps of the system clock: schedules are planned again from the present.

A clock that is hours or days ahead, and is then corrected, leaves schedules whose next occurrence
is planned in a future that is still far away: nothing would run until then. As cron does, the
scheduler plans such schedules anew. A short step, such as NTP makes, changes nothing.

    step noticed --> future records withdrawn --> schedules planned again, slice by slice

An occurrence that has run while the clock was ahead does not run again when its time comes,
because the table of runs has one row for each occurrence.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import orjson

from biont.exceptions import InvalidExpression, UnknownTimeZone
from biont.scheduler.planner import plan_schedule, read_instant
from biont.scheduler.tables import Schedule, ScheduleRun
from biont.scheduler.timing import Timing, find_jitter
from biont.store.database import execute_sql, format_instant

SHORTEST_STEP = timedelta(minutes=5)
"""The shortest backward step after which schedules are planned again."""

_SLICE = 200
_FIND_LATEST = (
    "SELECT max(at) FROM (SELECT * FROM (SELECT claimed_at AS at FROM schedule_runs"
    " ORDER BY id DESC LIMIT 1) UNION ALL SELECT * FROM (SELECT created_at FROM schedules"
    " ORDER BY id DESC LIMIT 1))"
)
# Records without an attempt: missed, coalesced, skipped and late occurrences.
_IS_WITHDRAWN = "ended_at > ? AND scheduled_for > ? AND attempts = 0 AND status <> 'cancelled'"
_FIND_WITHDRAWN = (
    f"SELECT json_group_array(DISTINCT schedule_id) FROM schedule_runs WHERE {_IS_WITHDRAWN}"  # noqa: S608  # only names
)
_WITHDRAW = f"DELETE FROM schedule_runs WHERE {_IS_WITHDRAWN}"  # noqa: S608  # only names
_END_LONG_WAITS = "UPDATE schedule_runs SET waits_until = ? WHERE waits_until > ?"


def find_latest_instant() -> datetime | None:
    """Return the latest instant at which the scheduler is known to have worked."""
    (latest,) = execute_sql(_FIND_LATEST).fetchone()
    return read_instant(latest)


def withdraw_future(now: datetime) -> Collection[int]:
    """Delete the records of occurrences after `now` that did not run; return their schedules."""
    at = format_instant(now)
    execute_sql(_END_LONG_WAITS, at, at)
    (found,) = execute_sql(_FIND_WITHDRAWN, at, at).fetchone()
    execute_sql(_WITHDRAW, at, at)
    return frozenset(orjson.loads(found))


def replan_slice(now: datetime, after_id: int, withdrawn: Collection[int]) -> int | None:
    """Plan some schedules again; return the last id of the slice, or None after the last slice.

    Args:
        now: the present instant.
        after_id: the last id of the slice before.
        withdrawn: the schedules that had records of the future, and may have ended by these.
    """
    query = Schedule.select().where(Schedule.id > after_id, ~Schedule.paused)
    schedules = list(query.order_by(Schedule.id).limit(_SLICE))
    for schedule in schedules:
        # Other finished schedules stay finished: a reminder that is done must not come again.
        if schedule.next_fire_at is not None or schedule.id in withdrawn:
            _replan(schedule, now)
    return schedules[-1].id if len(schedules) == _SLICE else None


def _replan(schedule: Schedule, now: datetime) -> None:
    planned = schedule.next_fire_at
    # Due already: the next sweep claims the occurrence.
    if planned is not None and planned <= now:
        return
    # Intervals are counted from the creation, which was in the future, too.
    schedule.created_at = min(schedule.created_at, now)
    try:
        plan_schedule(schedule, now)
        _skip_claimed(schedule, now)
    except (InvalidExpression, UnknownTimeZone):
        return  # the next sweep records the failure of this schedule
    schedule.save(only=[Schedule.next_fire_at, Schedule.created_at])


def _skip_claimed(schedule: Schedule, now: datetime) -> None:
    """Move the plan beyond occurrences that have run while the clock was ahead."""
    offset = find_jitter(schedule.id, schedule.jitter)
    runs = ScheduleRun.select().where(
        ScheduleRun.schedule == schedule, ScheduleRun.scheduled_for > now - offset
    )
    claimed = {run.scheduled_for for run in runs}
    if schedule.next_fire_at is None or schedule.next_fire_at - offset not in claimed:
        return
    later = Timing.of(schedule).instants(schedule.next_fire_at - offset)
    following = next((instant for instant in later if instant not in claimed), None)
    schedule.next_fire_at = None if following is None else following + offset
