"""What is due: which schedules, and what each of them owes."""

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
from biont.scheduler.timing import Timing, offset_of
from biont.store.database import execute_sql, format_instant

# As written in the partial index, or SQLite does not use it.
_IS_DUE = "next_fire_at IS NOT NULL AND NOT paused AND next_fire_at <= ?"
# What does not matter is left out, so that schedules that are alike in the rest share a plan.
_COLUMNS = (
    "next_fire_at, kind, expression, seconds, every, at, time_zone, starts_at, ends_at,"
    " iif(kind = 'every', created_at, NULL), iif(jitter, id, 0), jitter, catch_up,"
    " catch_up_window, catch_up_limit, overlap, max_runs - run_count, daily_budget"
)
_FIND_DUE = (
    f"SELECT json_group_array(json_array(id, {_COLUMNS})) FROM"  # noqa: S608  # only names
    f" (SELECT * FROM schedules WHERE {_IS_DUE} ORDER BY next_fire_at LIMIT ?)"
)
_FIND_WAITING = (
    "SELECT json_group_array(id) FROM schedule_runs"
    " WHERE waits_until IS NOT NULL AND waits_until <= ?"
)
_FIND_NEXT = (
    "SELECT min(next_fire_at) FROM schedules WHERE next_fire_at IS NOT NULL AND NOT paused"
    " UNION ALL SELECT min(waits_until) FROM schedule_runs WHERE waits_until IS NOT NULL"
)


@dataclass(frozen=True)
class RunDefaults:
    """What applies to schedules that do not say otherwise.

    Attributes:
        catch_up_window: how old a missed instant may be and still be run.
        late_after: how late an instant may be and still be run, when none is caught up.
    """

    catch_up_window: timedelta
    late_after: timedelta

    def patience_of(self, catch_up: str, window: float | None) -> timedelta:
        """Return how far behind its instant a run of a schedule may start."""
        if catch_up == CatchUp.NONE:
            return self.late_after
        return self.catch_up_window if window is None else timedelta(seconds=window)


@dataclass(frozen=True, eq=False)
class SchedulePlan:
    """What a schedule owes, and those that are alike do too; for `claims` to write.

    Attributes:
        zone: of the schedule.
        policy: of the schedule.
        offset: its jitter.
        owed: as far as it can be told without its runs of the past.
    """

    zone: ZoneInfo
    policy: RunPolicy
    offset: timedelta
    owed: Decision


class ScheduleClaim(NamedTuple):
    """What one schedule owes, worked out before it is written.

    Attributes:
        schedule_id: whose.
        due_at: its `next_fire_at`, as the table has it: if it is another by then, the
            claim is void.
        plan: the rest.
    """

    schedule_id: int
    due_at: str
    plan: SchedulePlan


class Planner:
    """Works out what schedules owe at one instant, once for all that are alike.

    Args:
        now: the instant.
        defaults: for what schedules do not say.
    """

    def __init__(self, now: datetime, defaults: RunDefaults) -> None:
        self.now = now
        self._defaults = defaults
        self._known: dict[tuple[object, ...], SchedulePlan] = {}

    def find(self, row: Sequence[object]) -> SchedulePlan:
        """Return the plan of a schedule; `row` is what `_COLUMNS` says."""
        key = tuple(row)
        plan = self._known.get(key)
        if plan is None:
            # A row is of what the columns are; mypy cannot see that.
            plan = self._known[key] = self._make(_Columns(*row))  # type: ignore[arg-type]
        return plan

    def _make(self, columns: _Columns) -> SchedulePlan:
        policy = columns.read_policy(self._defaults)
        offset = offset_of(columns.jitter_seed, columns.jitter)
        first = datetime.fromisoformat(columns.next_fire_at) - offset
        try:
            timing = Timing.of(columns.read_timing())
        except (InvalidExpression, UnknownTimeZone) as error:
            # It was valid when it was made: what reads it has changed since.
            failed = Outcome(first, RunStatus.FAILED, f"it cannot be due any more: {error}")
            return SchedulePlan(ZoneInfo("UTC"), policy, offset, Decision([failed], None))
        owed = decide(timing, first, self.now - offset, policy)
        return SchedulePlan(timing.zone, policy, offset, owed)


class _Columns(NamedTuple):
    """A row of `_COLUMNS`."""

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
            at=_read_instant(self.at),
            time_zone=self.time_zone,
            starts_at=_read_instant(self.starts_at),
            ends_at=_read_instant(self.ends_at),
            created_at=_read_instant(self.created_at),
        )

    def read_policy(self, defaults: RunDefaults) -> RunPolicy:
        return RunPolicy(
            CatchUp(self.catch_up),
            defaults.patience_of(self.catch_up, self.catch_up_window),
            self.catch_up_limit,
            Overlap(self.overlap),
            self.runs_left,
            self.daily_budget,
        )


def find_claims(plans: Planner, limit: int) -> list[ScheduleClaim]:
    """Return what up to `limit` due schedules owe, those first that are due for longest."""
    (rows,) = execute_sql(_FIND_DUE, format_instant(plans.now), limit).fetchone()
    return [ScheduleClaim(row[0], row[1], plans.find(row[1:])) for row in orjson.loads(rows)]


def find_waiting(now: datetime) -> list[int]:
    """Return the runs that have waited long enough for their next try."""
    (ids,) = execute_sql(_FIND_WAITING, format_instant(now)).fetchone()
    return list(orjson.loads(ids))


def find_next_due() -> datetime | None:
    """Return when a sweep has something to do next."""
    found = [instant for (instant,) in execute_sql(_FIND_NEXT) if instant is not None]
    return _read_instant(min(found, default=None))


def plan_schedule(schedule: Schedule, now: datetime) -> None:
    """Set `Schedule.next_fire_at` to its first due instant after `now`.

    For a schedule that is new, was resumed or is due otherwise from now on. It has to
    have its `id`, which its jitter depends on; save it afterwards.

    Raises:
        InvalidExpression: what it says about when it is due is not valid.
        UnknownTimeZone: there is no such zone.
    """
    is_used_up = schedule.max_runs is not None and schedule.run_count >= schedule.max_runs
    offset = offset_of(schedule.id, schedule.jitter)
    following = None if is_used_up else Timing.of(schedule).next_after(now - offset)
    schedule.next_fire_at = None if following is None else following + offset


def _read_instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
