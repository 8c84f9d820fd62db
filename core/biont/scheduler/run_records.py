"""What becomes of a run, as it is written: from its start to its end."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from biont.backoff import Backoff
from biont.scheduler.event_types import SCHEDULED_TRIGGER
from biont.scheduler.planner import RunDefaults
from biont.scheduler.run import Finish, Run
from biont.scheduler.run_policy import find_lateness, is_given_up
from biont.scheduler.run_queue import WaitingRun
from biont.scheduler.tables import RunStatus, RunTrigger
from biont.store.database import execute_sql, format_instant
from biont.store.transaction import Transaction

_READ_WORK = (
    "SELECT json_group_array(json_array(run.id, schedule_id, scheduled_for, due_at, attempts,"
    ' failures, "trigger", name, user_id, time_zone, parameters, job_kind, timeout, retry,'
    " catch_up, catch_up_window))"
    " FROM schedule_runs AS run JOIN schedules ON schedules.id = schedule_id"
    " WHERE run.id IN (SELECT value FROM json_each(?)) AND status = 'queued'"
    " AND waits_until IS NULL"
)
_START = (
    "UPDATE schedule_runs SET status = 'running', attempts = attempts + 1, started_at = ?"
    " WHERE id IN (SELECT value FROM json_each(?))"
)
_END_UNSTARTED = (
    "UPDATE schedule_runs SET status = 'late', ended_at = ?, reason = late.value"
    " FROM json_each(?) AS late WHERE id = CAST(late.key AS INTEGER)"
)
_SUCCEED = (
    "UPDATE schedule_runs SET status = 'succeeded', ended_at = ?, result = ?, error = NULL"
    " WHERE id = ?"
)
_SKIP = (
    "UPDATE schedule_runs SET status = 'skipped_budget', ended_at = ?, reason = ?, error = NULL"
    " WHERE id = ? AND ended_at IS NULL"
)
_FAIL = (
    "UPDATE schedule_runs SET status = ?, failures = failures + 1, ended_at = ?,"
    " waits_until = ?, error = ? WHERE id = ? AND ended_at IS NULL"
)
_FAIL_CRASHED = (
    "UPDATE schedule_runs SET status = 'failed', ended_at = ?,"
    " error = 'interrupted by a stop or a crash; on_crash is fail'"
    " WHERE ended_at IS NULL AND status = 'running'"
    " AND schedule_id IN (SELECT id FROM schedules WHERE on_crash = 'fail')"
)
_FIND_CRASHED = (
    "SELECT json_group_array(json_array(id, attempts, failures)) FROM schedule_runs"
    " WHERE ended_at IS NULL AND status = 'running'"
)
_GIVE_UP = (
    "UPDATE schedule_runs SET status = 'failed', ended_at = ?,"
    " error = 'interrupted ' || (attempts - failures) || ' times by a crash; run it again by hand'"
    " WHERE id IN (SELECT value FROM json_each(?))"
)
_QUEUE_AGAIN = (
    "UPDATE schedule_runs SET status = 'queued' WHERE ended_at IS NULL AND status = 'running'"
)
_FIND_QUEUED = (
    "SELECT json_group_array(json_array(id, schedule_id, alone)) FROM"
    " (SELECT run.id, schedule_id, overlap <> 'allow' AS alone"
    " FROM schedule_runs AS run JOIN schedules ON schedules.id = schedule_id"
    " WHERE ended_at IS NULL AND status = 'queued' AND waits_until IS NULL ORDER BY run.id)"
)
_FIND_ENDED = (
    "SELECT json_group_array(value) FROM json_each(?) WHERE value NOT IN"
    " (SELECT id FROM schedule_runs WHERE ended_at IS NULL)"
)


@dataclass(frozen=True)
class StartedRun:
    """A run that has been started, and what its schedule says about it.

    Attributes:
        run: for the job.
        job_kind: which job.
        failures: how many attempts have failed so far.
        timeout: how long it may take, in seconds; None for the setting.
        retry: the seconds before each new try after a failure.
    """

    run: Run
    job_kind: str
    failures: int
    timeout: float | None
    retry: Sequence[float]


def recover(now: datetime) -> None:
    """Settle the runs in the middle of which a former process ended.

    Each is queued again, or has failed: by its schedule's `on_crash`, or since it was
    interrupted too often.
    """
    at = format_instant(now)
    execute_sql(_FAIL_CRASHED, at)
    (crashed,) = execute_sql(_FIND_CRASHED).fetchone()
    given_up = [
        run_id
        for run_id, attempts, failures in orjson.loads(crashed)
        if is_given_up(attempts, failures)
    ]
    execute_sql(_GIVE_UP, at, orjson.dumps(given_up).decode())
    execute_sql(_QUEUE_AGAIN)


def find_queued() -> list[WaitingRun]:
    """Return the runs that wait for a place, the oldest first."""
    (found,) = execute_sql(_FIND_QUEUED).fetchone()
    return [WaitingRun(run_id, of, bool(alone)) for run_id, of, alone in orjson.loads(found)]


def find_ended(run_ids: Sequence[int]) -> list[int]:
    """Return which of these runs have ended, or are gone with their schedule."""
    (found,) = execute_sql(_FIND_ENDED, orjson.dumps(run_ids).decode()).fetchone()
    return list(orjson.loads(found))


def start_runs(run_ids: Sequence[int], now: datetime, defaults: RunDefaults) -> list[StartedRun]:
    """Mark runs as running and return them.

    What is left out has no work: it was cancelled, its schedule was deleted, or it has
    waited for too long and is late by now.
    """
    (found,) = execute_sql(_READ_WORK, orjson.dumps(run_ids).decode()).fetchone()
    works: list[StartedRun] = []
    late: dict[str, str] = {}
    for row in (_Row(*cells) for cells in orjson.loads(found)):
        reason = row.find_lateness(now, defaults)
        if reason is None:
            works.append(row.make_work())
        else:
            late[str(row.run_id)] = reason
    if late:
        execute_sql(_END_UNSTARTED, format_instant(now), orjson.dumps(late).decode())
    if works:
        ids = orjson.dumps([work.run.id for work in works]).decode()
        execute_sql(_START, format_instant(now), ids)
    return works


class _Row(NamedTuple):
    """What `_READ_WORK` finds."""

    run_id: int
    schedule_id: int
    scheduled_for: str
    due_at: str
    attempts: int
    failures: int
    trigger: str
    name: str
    user_id: int
    time_zone: str
    parameters: str
    job_kind: str
    timeout: float | None
    retry: str
    catch_up: str
    catch_up_window: float | None

    def find_lateness(self, now: datetime, defaults: RunDefaults) -> str | None:
        if self.attempts or self.trigger != RunTrigger.SCHEDULE:
            return None
        patience = defaults.patience_of(self.catch_up, self.catch_up_window)
        return find_lateness(datetime.fromisoformat(self.due_at), now, patience)

    def make_work(self) -> StartedRun:
        run = Run(
            id=self.run_id,
            schedule_id=self.schedule_id,
            schedule_name=self.name,
            user_id=self.user_id,
            scheduled_for=datetime.fromisoformat(self.scheduled_for),
            time_zone=self.time_zone,
            attempts=self.attempts + 1,
            parameters=self.parameters,
        )
        return StartedRun(
            run, self.job_kind, self.failures, self.timeout, orjson.loads(self.retry)
        )


def end_run(tx: Transaction, run: Run, finish: Finish, now: datetime) -> None:
    """Write a run's outcome and its ``scheduled_trigger`` event, all in one.

    Nothing is written when it was cancelled or deleted meanwhile.
    """
    if find_ended([run.id]):
        return
    result = dict(finish(tx))
    execute_sql(_SUCCEED, format_instant(now), orjson.dumps(result).decode(), run.id)
    tx.emit(
        SCHEDULED_TRIGGER.name,
        run.user_id,
        {
            **result,
            "schedule_id": run.schedule_id,
            "run_id": run.id,
            "name": run.schedule_name,
            "scheduled_for": run.scheduled_for.isoformat(),
            "status": RunStatus.SUCCEEDED.value,
        },
    )


def skip_run(run_id: int, reason: str, now: datetime) -> None:
    """Record that a run was not made, since what may be spent in its day is used up."""
    execute_sql(_SKIP, format_instant(now), reason, run_id)


def fail_run(work: StartedRun, error: BaseException, now: datetime) -> timedelta | None:
    """Record that an attempt has failed, and why; return how long it waits for the next."""
    reason = "".join(traceback.format_exception_only(error)).strip()
    seconds = Backoff(work.retry).find_wait(work.failures + 1)
    wait = None if seconds is None else timedelta(seconds=seconds)
    execute_sql(
        _FAIL,
        RunStatus.FAILED if wait is None else RunStatus.QUEUED,
        format_instant(now) if wait is None else None,
        None if wait is None else format_instant(now + wait),
        reason,
        work.run.id,
    )
    return wait
