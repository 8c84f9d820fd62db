"""Backward steps of the system clock: schedules are planned again from the present.

A clock that is hours or days ahead, and is then corrected, leaves schedules whose next occurrence
is planned in a future that is still far away: nothing would run until then. As cron does, the
scheduler plans such schedules anew. A short step, such as NTP makes, changes nothing.

    step noticed --> future records withdrawn --> schedules planned again, slice by slice

An occurrence that has run while the clock was ahead does not run again when its time comes,
because the table of runs has one row for each occurrence.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from biont.exceptions import InvalidExpression, UnknownTimeZone
from biont.scheduler.planner import plan_schedule, read_instant
from biont.scheduler.tables import Schedule
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
_WITHDRAW = (
    "DELETE FROM schedule_runs WHERE ended_at > ? AND scheduled_for > ? AND attempts = 0"
    " AND status <> 'cancelled'"
)
_END_LONG_WAITS = "UPDATE schedule_runs SET waits_until = ? WHERE waits_until > ?"


def find_latest_instant() -> datetime | None:
    """Return the latest instant at which the scheduler is known to have worked."""
    (latest,) = execute_sql(_FIND_LATEST).fetchone()
    return read_instant(latest)


def withdraw_future(now: datetime) -> int:
    """Delete the records of occurrences after `now` that did not run; return their number."""
    at = format_instant(now)
    execute_sql(_END_LONG_WAITS, at, at)
    return execute_sql(_WITHDRAW, at, at).rowcount


def replan_slice(now: datetime, after_id: int) -> int | None:
    """Plan some schedules again; return the last id of the slice, or None after the last slice.

    Args:
        now: the present instant.
        after_id: the last id of the slice before.
    """
    query = Schedule.select().where(Schedule.id > after_id, ~Schedule.paused)
    schedules = list(query.order_by(Schedule.id).limit(_SLICE))
    for schedule in schedules:
        planned = schedule.next_fire_at
        try:
            plan_schedule(schedule, now)
        except (InvalidExpression, UnknownTimeZone):
            continue  # the next sweep records the failure of this schedule
        if schedule.next_fire_at != planned:
            schedule.save(only=[Schedule.next_fire_at])
    return schedules[-1].id if len(schedules) == _SLICE else None
