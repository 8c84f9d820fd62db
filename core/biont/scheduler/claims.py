"""What a sweep writes: each due instant becomes exactly one row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import orjson

from biont.scheduler.planner import ScheduleClaim, SchedulePlan
from biont.scheduler.run_policy import Decision, RunHistory, apply_history
from biont.scheduler.run_queue import WaitingRun
from biont.scheduler.tables import RunStatus
from biont.store.database import execute_sql, format_instant

# The keys of an object, unlike the items of an array of arrays, come without another parse.
_FIND_VALID = (
    "SELECT json_group_array(json_array(schedules.id, (SELECT max(id) FROM schedule_runs"
    " WHERE schedule_id = schedules.id AND ended_at IS NULL)))"
    " FROM json_each(?) AS claim JOIN schedules ON schedules.id = CAST(claim.key AS INTEGER)"
    " WHERE next_fire_at = claim.value AND NOT paused"
)
_MOVE = (
    "UPDATE schedules SET next_fire_at = claim.value, run_count = run_count + ?"
    " FROM json_each(?) AS claim WHERE schedules.id = CAST(claim.key AS INTEGER)"
)
_FIND_LAST_RUN = "SELECT coalesce(max(id), 0) FROM schedule_runs"
_RECORD = (
    "INSERT INTO schedule_runs"
    " (schedule_id, scheduled_for, due_at, status, reason, ended_at, attempts, claimed_at)"
    " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, 0, ?"
    " FROM json_each(?) WHERE true ON CONFLICT DO NOTHING"
)
_FIND_QUEUED = (
    "SELECT json_group_array(json_array(run.id, schedule_id, overlap <> 'allow'))"
    " FROM schedule_runs AS run JOIN schedules ON schedules.id = schedule_id"
    " WHERE run.id > ? AND ended_at IS NULL"
)
_COUNT_RUNS = (
    "SELECT json_group_array(json_array(value ->> 0, value ->> 1,"
    " (SELECT count(*) FROM schedule_runs WHERE schedule_id = value ->> 0"
    " AND scheduled_for >= value ->> 2 AND scheduled_for < value ->> 3"
    " AND (attempts OR ended_at IS NULL) AND \"trigger\" <> 'run_now')))"
    " FROM json_each(?)"
)
_RELEASE = (
    "UPDATE schedule_runs SET waits_until = NULL WHERE id IN (SELECT value FROM json_each(?))"
)
_FIND_RELEASED = (
    "SELECT json_group_array(json_array(run.id, schedule_id, overlap <> 'allow'))"
    " FROM schedule_runs AS run JOIN schedules ON schedules.id = schedule_id"
    " WHERE run.id IN (SELECT value FROM json_each(?)) AND ended_at IS NULL"
)


def write_claims(claims: Sequence[ScheduleClaim], now: datetime) -> list[WaitingRun]:
    """Record what `claims` say and return the runs that are to be started.

    A claim whose schedule has changed since it was worked out is left out.
    """
    settled = _settle(claims)
    moves: dict[int, dict[str, str | None]] = defaultdict(dict)
    rows: list[tuple[object, ...]] = []
    at = format_instant(now)
    for claim, owed in settled:
        moves[owed.queued][str(claim.schedule_id)] = (
            None if owed.following is None else format_instant(owed.following + claim.plan.offset)
        )
        rows += ((claim.schedule_id, *cells) for cells in _list_cells(owed, claim.plan, at))
    for count, moved in moves.items():
        execute_sql(_MOVE, count, _dump(moved))
    (last,) = execute_sql(_FIND_LAST_RUN).fetchone()
    execute_sql(_RECORD, at, _dump(rows))
    return _read_waiting(_FIND_QUEUED, last)


def release(run_ids: Sequence[int]) -> list[WaitingRun]:
    """Let runs that have waited after a failure be tried again."""
    execute_sql(_RELEASE, _dump(run_ids))
    return _read_waiting(_FIND_RELEASED, _dump(run_ids))


def _settle(claims: Sequence[ScheduleClaim]) -> list[tuple[ScheduleClaim, Decision]]:
    """Return the claims that still hold, each with what becomes of what it owes."""
    due = {str(claim.schedule_id): claim.due_at for claim in claims}
    (found,) = execute_sql(_FIND_VALID, _dump(due)).fetchone()
    valid: Mapping[int, int | None] = dict(orjson.loads(found))
    used = _count_runs([claim for claim in claims if claim.plan.policy.daily_budget is not None])
    settled = []
    for claim in claims:
        if claim.schedule_id not in valid:
            continue
        plan, busy_with = claim.plan, valid[claim.schedule_id]
        owed = plan.owed
        if busy_with is not None or not plan.policy.is_plain:
            past = RunHistory(busy_with, used.get(claim.schedule_id, {}))
            owed = apply_history(owed, plan.policy, past, plan.zone)
        settled.append((claim, owed))
    return settled


def _list_cells(owed: Decision, plan: SchedulePlan, now: str) -> list[tuple[str | None, ...]]:
    return [
        (
            format_instant(verdict.instant),
            format_instant(verdict.instant + plan.offset),
            verdict.status,
            verdict.reason,
            None if verdict.status is RunStatus.QUEUED else now,
        )
        for verdict in owed.verdicts
    ]


def _count_runs(claims: Sequence[ScheduleClaim]) -> dict[int, dict[date, int]]:
    """Return how many runs each schedule has had on each day that its claim is about."""
    if not claims:
        return {}
    asked = [
        (claim.schedule_id, day, *_bound(day, claim.plan))
        for claim in claims
        for day in {
            verdict.instant.astimezone(claim.plan.zone).date()
            for verdict in claim.plan.owed.verdicts
            if verdict.status is RunStatus.QUEUED
        }
    ]
    (found,) = execute_sql(_COUNT_RUNS, _dump(asked)).fetchone()
    counts: dict[int, dict[date, int]] = defaultdict(dict)
    for schedule_id, day, count in orjson.loads(found):
        counts[schedule_id][date.fromisoformat(day)] = count
    return counts


def _bound(day: date, plan: SchedulePlan) -> tuple[str, str]:
    """Return where a day of the schedule's zone begins and ends, as the tables have it."""
    begin, end = (
        datetime.combine(day + timedelta(days=days), time(), plan.zone).astimezone(UTC)
        for days in (0, 1)
    )
    return format_instant(begin), format_instant(end)


def _read_waiting(sql: str, parameter: str | int) -> list[WaitingRun]:
    (found,) = execute_sql(sql, parameter).fetchone()
    return [WaitingRun(run_id, of, bool(alone)) for run_id, of, alone in orjson.loads(found)]


def _dump(value: object) -> str:
    return orjson.dumps(value).decode()
