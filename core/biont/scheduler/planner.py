"""Planner: finds due schedules and decides the outcomes of the due occurrences.

Planning only reads, on a reader's connection. The result is a `ScheduleClaim` for each due
schedule, which `claims.write_claims` checks and writes. Schedules that are alike in all that
matters share one `SchedulePlan`: when thousands of schedules are due together at midnight, the
calendar is searched once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import orjson

from biont.exceptions import InvalidExpression, UnknownTimeZone
from biont.scheduler.run_policy import Decision, Outcome, RunPolicy, decide
from biont.scheduler.tables import CatchUp, Overlap, RunStatus, Schedule
from biont.scheduler.timing import Timing, find_jitter
from biont.store.database import execute_sql, format_instant

_MOST_OUTCOMES = 2000
"""The number of outcomes after which a slice has no further schedule."""

# Word for word the condition of the partial index; otherwise SQLite does not use the index.
_IS_DUE = (
    "next_fire_at IS NOT NULL AND NOT paused AND next_fire_at <= ?"
    " AND user_id NOT IN (SELECT id FROM users WHERE disabled_at IS NOT NULL)"
)
# A column that does not matter for a schedule is blanked, so that alike schedules share a plan:
# only an interval counts from its creation, and only jitter depends on the id.
_COLUMNS = (
    "next_fire_at, kind, expression, seconds, every, at, time_zone, starts_at, ends_at,"
    " iif(kind IN ('every', 'calendar'), created_at, NULL), iif(jitter, id, 0), jitter, catch_up,"
    " catch_up_window, catch_up_limit, overlap, max_runs - run_count, daily_budget"
)
# Half of a slice is due for the longest time and half has just become due: a backlog of many
# schedules and what is on time do not hold up each other.
_SELECT_DUE = f"SELECT id FROM schedules WHERE {_IS_DUE} ORDER BY next_fire_at"  # noqa: S608
_FIND_DUE = (
    f"SELECT json_group_array(json_array(id, {_COLUMNS})) FROM"  # noqa: S608  # only names
    " (SELECT * FROM schedules WHERE id IN"
    f" (SELECT id FROM ({_SELECT_DUE} LIMIT ?) UNION SELECT id FROM ({_SELECT_DUE} DESC LIMIT ?))"
    " ORDER BY next_fire_at DESC, id DESC)"
)
_FIND_RETRIES = (
    "SELECT json_group_array(id) FROM schedule_runs"
    " WHERE waits_until IS NOT NULL AND waits_until <= ?"
    " AND schedule_id NOT IN (SELECT schedules.id FROM schedules JOIN users"
    " ON users.id = user_id WHERE disabled_at IS NOT NULL)"
)
_FIND_NEXT = (
    "SELECT min(next_fire_at) FROM schedules WHERE next_fire_at IS NOT NULL AND NOT paused"
    " AND user_id NOT IN (SELECT id FROM users WHERE disabled_at IS NOT NULL)"
    " UNION ALL SELECT min(waits_until) FROM schedule_runs WHERE waits_until IS NOT NULL"
    " AND schedule_id NOT IN (SELECT schedules.id FROM schedules JOIN users"
    " ON users.id = user_id WHERE disabled_at IS NOT NULL)"
)


@dataclass(frozen=True)
class RunDefaults:
    """Settings for schedules that do not set their own.

    Attributes:
        catch_up_window: the largest age of a missed occurrence that is still run.
        late_after: the same for schedules that catch up nothing.
    """

    catch_up_window: timedelta
    late_after: timedelta

    def find_max_lateness(self, catch_up: str, window: float | None) -> timedelta:
        """Return the longest time from an occurrence to the start of the run."""
        if catch_up == CatchUp.NONE:
            return self.late_after
        return self.catch_up_window if window is None else timedelta(seconds=window)


@dataclass(frozen=True, eq=False)
class SchedulePlan:
    """Plan that alike schedules share.

    Attributes:
        zone: the time zone.
        policy: the run policy.
        offset: the jitter.
        decision: the outcomes of the due occurrences, without the history of runs.
    """

    zone: ZoneInfo
    policy: RunPolicy
    offset: timedelta
    decision: Decision


class ScheduleClaim(NamedTuple):
    """Plan of a due schedule, to be checked and written.

    Attributes:
        schedule_id: the id of the schedule.
        due_at: the `next_fire_at` of the schedule when the plan was made, as stored. The claim
            is void if the schedule has another by the time of the write.
        plan: the plan.
    """

    schedule_id: int
    due_at: str
    plan: SchedulePlan


class Planner:
    """Makes plans for an instant; alike schedules share a plan.

    Args:
        now: the instant.
        defaults: the settings for schedules that do not set their own.
    """

    def __init__(self, now: datetime, defaults: RunDefaults) -> None:
        self.now = now
        self._defaults = defaults
        self._plans: dict[tuple[object, ...], SchedulePlan] = {}

    def get_plan(self, row: Sequence[object]) -> SchedulePlan:
        """Return the plan of a schedule, given as a row of `_COLUMNS`."""
        key = tuple(row)
        plan = self._plans.get(key)
        if plan is None:
            # The query fixes the types of the cells; mypy cannot see them.
            plan = self._plans[key] = self._make_plan(_Columns(*row))  # type: ignore[arg-type]
        return plan

    def _make_plan(self, columns: _Columns) -> SchedulePlan:
        policy = columns.read_policy(self._defaults)
        offset = find_jitter(columns.jitter_seed, columns.jitter)
        first = datetime.fromisoformat(columns.next_fire_at) - offset
        try:
            timing = Timing.of(columns.read_timing())
        except (InvalidExpression, UnknownTimeZone) as error:
            # Valid when it was stored, but croniter or the time zone database has changed
            # since. The schedule fails alone and ends; the others of the sweep go on.
            failed = Outcome(first, RunStatus.FAILED, f"it cannot be due any more: {error}")
            return SchedulePlan(ZoneInfo("UTC"), policy, offset, Decision([failed], None))
        decision = decide(timing, first, self.now - offset, policy)
        return SchedulePlan(timing.zone, policy, offset, decision)


class _Columns(NamedTuple):
    """Row of `_COLUMNS`."""

    next_fire_at: str
    kind: str
    expression: str
    seconds: int
    every: int | None
    at: str | None
    time_zone: str
    starts_at: str | None
    ends_at: str | None
    created_at: str | None
    jitter_seed: int
    jitter: int
    catch_up: str
    catch_up_window: float | None
    catch_up_limit: int
    overlap: str
    runs_left: int | None
    daily_budget: int | None

    def read_timing(self) -> Schedule:
        return Schedule(
            kind=self.kind,
            expression=self.expression,
            seconds=bool(self.seconds),
            every=self.every,
            at=read_instant(self.at),
            time_zone=self.time_zone,
            starts_at=read_instant(self.starts_at),
            ends_at=read_instant(self.ends_at),
            created_at=read_instant(self.created_at),
        )

    def read_policy(self, defaults: RunDefaults) -> RunPolicy:
        return RunPolicy(
            CatchUp(self.catch_up),
            defaults.find_max_lateness(self.catch_up, self.catch_up_window),
            self.catch_up_limit,
            Overlap(self.overlap),
            self.runs_left,
            self.daily_budget,
        )


def find_claims(planner: Planner, limit: int) -> list[ScheduleClaim]:
    """Return plans for up to `limit` due schedules, in the order in which they were due.

    Fewer schedules are planned when these have many outcomes, so that the transaction that writes
    the claims stays short. What has just become due is planned first.
    """
    now, half = format_instant(planner.now), (limit + 1) // 2
    (rows,) = execute_sql(_FIND_DUE, now, half, now, half).fetchone()
    claims: list[ScheduleClaim] = []
    outcome_count = 0
    for row in orjson.loads(rows):
        claim = ScheduleClaim(row[0], row[1], planner.get_plan(row[1:]))
        claims.append(claim)
        outcome_count += len(claim.plan.decision.outcomes)
        if outcome_count >= _MOST_OUTCOMES:
            break
    return claims[::-1]


def find_due_retries(now: datetime) -> list[int]:
    """Return the runs whose wait before a retry is over."""
    (ids,) = execute_sql(_FIND_RETRIES, format_instant(now)).fetchone()
    return list(orjson.loads(ids))


def find_next_due() -> datetime | None:
    """Return the next instant at which a schedule or a retry is due."""
    found = [instant for (instant,) in execute_sql(_FIND_NEXT) if instant is not None]
    return read_instant(min(found, default=None))


def plan_schedule(schedule: Schedule, now: datetime) -> None:
    """Set `Schedule.next_fire_at` to the first occurrence after `now`.

    For a new, resumed or changed schedule. The schedule needs its `id`, because the jitter
    depends on the id; save the schedule afterwards.

    Raises:
        InvalidExpression: the timing is not valid.
        UnknownTimeZone: no such zone.
    """
    offset = find_jitter(schedule.id, schedule.jitter)
    # Jitter is added after the search: an occurrence whose jitter has not passed is still ahead.
    timing = Timing.of(schedule)
    following = None if schedule.has_had_its_runs else timing.next_after(now - offset)
    schedule.next_fire_at = None if following is None else following + offset


def read_instant(text: str | None) -> datetime | None:
    """Return the instant of a column that was read without its `InstantField`."""
    return None if text is None else datetime.fromisoformat(text)
