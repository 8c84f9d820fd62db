"""Claims: a transaction that turns planned occurrences into rows of the table of runs.

A sweep plans outside any transaction (`planner`), so that long searches in a calendar do not
hold up the writer. By the time of the write the plan may be outdated. A claim is valid
only if the schedule still has the `next_fire_at` that the plan began with and is not paused.
For each valid claim the transaction of `write_claims`

1. applies the history of runs to the decision,
2. moves `next_fire_at` to the next occurrence,
3. inserts a row for each outcome: `queued`, or a final status with its reason.

A crash before the commit leaves the schedule due, and the next sweep plans again. A crash after
the commit leaves `queued` rows, which the next start finds. Two schedulers on the same database
cannot claim an occurrence twice: the second finds a moved `next_fire_at`. The unique index on
schedule and occurrence is the second line of defence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import orjson

from biont.scheduler.planner import ScheduleClaim, SchedulePlan
from biont.scheduler.run_policy import Decision, RunHistory, apply_history
from biont.scheduler.run_queue import WaitingRun, load_waiting_runs
from biont.scheduler.tables import RunStatus
from biont.store.database import dump_json, execute_sql, format_instant

# SQLite reads the keys of a JSON object without parsing each item again, which it does for
# the items of an array of arrays.
_FIND_VALID = (
    "SELECT json_group_array(json_array(schedules.id, (SELECT max(id) FROM schedule_runs"
    " WHERE schedule_id = schedules.id AND ended_at IS NULL), (SELECT count(*)"
    " FROM schedule_runs WHERE schedule_id = schedules.id AND ended_at IS NULL"
    " AND status = 'queued')))"
    " FROM json_each(?) AS claim JOIN schedules ON schedules.id = CAST(claim.key AS INTEGER)"
    " WHERE next_fire_at = claim.value AND NOT paused"
    " AND user_id NOT IN (SELECT id FROM users WHERE disabled_at IS NOT NULL)"
)
_MOVE_SCHEDULES = (
    "UPDATE schedules SET next_fire_at = claim.value, run_count = run_count + ?"
    " FROM json_each(?) AS claim WHERE schedules.id = CAST(claim.key AS INTEGER)"
)
_FIND_LAST_RUN = "SELECT coalesce(max(id), 0) FROM schedule_runs"
_INSERT_RUNS = (
    "INSERT INTO schedule_runs"
    " (schedule_id, scheduled_for, due_at, status, reason, ended_at, attempts, claimed_at)"
    " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, 0, ?"
    " FROM json_each(?) WHERE true ON CONFLICT DO NOTHING"
)
_FIND_INSERTED = (
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
_END_WAITS = (
    "UPDATE schedule_runs SET waits_until = NULL WHERE id IN (SELECT value FROM json_each(?))"
)
_FIND_RELEASED = (
    "SELECT json_group_array(json_array(run.id, schedule_id, overlap <> 'allow'))"
    " FROM schedule_runs AS run JOIN schedules ON schedules.id = schedule_id"
    " WHERE run.id IN (SELECT value FROM json_each(?)) AND ended_at IS NULL"
)


def write_claims(claims: Sequence[ScheduleClaim], now: datetime) -> list[WaitingRun]:
    """Write the valid claims and return the runs to start.

    A claim whose schedule has changed since the plan was made is dropped.
    """
    moves: dict[int, dict[str, str | None]] = defaultdict(dict)
    rows: list[tuple[object, ...]] = []
    written_at = format_instant(now)
    for claim, decision in _decide_valid(claims):
        following = decision.next_instant
        moves[decision.run_count][str(claim.schedule_id)] = (
            None if following is None else format_instant(following + claim.plan.offset)
        )
        rows += (
            (claim.schedule_id, *cells) for cells in _list_cells(decision, claim.plan, written_at)
        )
    # Grouped by the number of runs, nearly always 0 or 1: two updates for a sweep of 500
    # schedules instead of 500.
    for run_count, moved in moves.items():
        execute_sql(_MOVE_SCHEDULES, run_count, dump_json(moved))
    (last,) = execute_sql(_FIND_LAST_RUN).fetchone()
    execute_sql(_INSERT_RUNS, written_at, dump_json(rows))
    return _read_waiting(_FIND_INSERTED, last)


def release_runs(run_ids: Sequence[int]) -> list[WaitingRun]:
    """End the waits of runs before a retry and return the runs to start."""
    execute_sql(_END_WAITS, dump_json(run_ids))
    return _read_waiting(_FIND_RELEASED, dump_json(run_ids))


def _decide_valid(claims: Sequence[ScheduleClaim]) -> list[tuple[ScheduleClaim, Decision]]:
    """Return the valid claims with the decisions after the history of runs."""
    due = {str(claim.schedule_id): claim.due_at for claim in claims}
    (found,) = execute_sql(_FIND_VALID, dump_json(due)).fetchone()
    valid: Mapping[int, tuple[int | None, int]] = {
        schedule_id: (active_run, waiting)
        for schedule_id, active_run, waiting in orjson.loads(found)
    }
    counts = _count_runs([claim for claim in claims if claim.plan.policy.daily_budget is not None])
    decided = []
    for claim in claims:
        if claim.schedule_id not in valid:
            continue
        plan, (active_run, waiting) = claim.plan, valid[claim.schedule_id]
        decision = plan.decision
        # The shared decision holds as it is for a schedule without history, nearly all of them.
        if active_run is not None or plan.policy.counts_runs:
            history = RunHistory(active_run, counts.get(claim.schedule_id, {}), waiting)
            decision = apply_history(decision, plan.policy, history, plan.zone)
        decided.append((claim, decision))
    return decided


def _list_cells(
    decision: Decision, plan: SchedulePlan, written_at: str
) -> list[tuple[str | None, ...]]:
    return [
        (
            format_instant(outcome.instant),
            format_instant(outcome.instant + plan.offset),
            outcome.status,
            outcome.reason,
            None if outcome.status is RunStatus.QUEUED else written_at,
        )
        for outcome in decision.outcomes
    ]


def _count_runs(claims: Sequence[ScheduleClaim]) -> dict[int, dict[date, int]]:
    """Return the number of runs of each schedule on each day on which a run is planned."""
    # Rare: most sweeps have no schedule with a daily budget and need no query.
    if not claims:
        return {}
    days = [
        (claim.schedule_id, day, *_find_day_bounds(day, claim.plan))
        for claim in claims
        for day in {
            outcome.instant.astimezone(claim.plan.zone).date()
            for outcome in claim.plan.decision.outcomes
            if outcome.status is RunStatus.QUEUED
        }
    ]
    (found,) = execute_sql(_COUNT_RUNS, dump_json(days)).fetchone()
    counts: dict[int, dict[date, int]] = defaultdict(dict)
    for schedule_id, day, count in orjson.loads(found):
        counts[schedule_id][date.fromisoformat(day)] = count
    return counts


def _find_day_bounds(day: date, plan: SchedulePlan) -> tuple[str, str]:
    """Return the begin and the end of a day of the schedule's zone, as stored instants."""
    begin, end = (
        # Through the zone, because a day with a change of the clock has 23 or 25 hours.
        datetime.combine(day + timedelta(days=days), time(), plan.zone).astimezone(UTC)
        for days in (0, 1)
    )
    return format_instant(begin), format_instant(end)


def _read_waiting(sql: str, parameter: str | int) -> list[WaitingRun]:
    (found,) = execute_sql(sql, parameter).fetchone()
    return load_waiting_runs(found)
