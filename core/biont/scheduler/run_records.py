"""Run records: the writes to the table of runs, from the start of a run to its end.

    queued --start_runs--> running --end_run---> succeeded
                                   --fail_run--> queued (`waits_until`) or, without retries, failed
                                   --postpone_run--> queued (`waits_until`)
                                   --skip_run--> skipped_budget
    queued --start_runs--> late, when the run has waited for too long

A user may cancel a queued or running run at any time (`run_actions.cancel_run`). Every write
that ends a run therefore checks that the run has not ended meanwhile.

`end_run` writes the product of the job, the result and the event in one transaction. A crash
before the commit leaves the row `running` and no product; `recover_runs` queues such a run
again at the next start, or fails the run if the schedule's `on_crash` is ``fail`` or if the run
was interrupted three times, because the run may then be the cause of the crashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from biont.backoff import Backoff
from biont.scheduler.event_types import SCHEDULED_TRIGGER
from biont.scheduler.planner import RunDefaults
from biont.scheduler.run import Finish, Run
from biont.scheduler.run_policy import explain_lateness, has_crashed_too_often
from biont.scheduler.run_queue import WaitingRun, load_waiting_runs
from biont.scheduler.tables import RunStatus, RunTrigger
from biont.security.error_texts import describe_exception
from biont.store.database import dump_json, execute_sql, format_instant
from biont.store.transaction import Transaction

_READ_QUEUED = (
    "SELECT json_group_array(json_array(run.id, schedule_id, scheduled_for, due_at, attempts,"
    ' failures, "trigger", name, user_id, time_zone, parameters, job_kind, timeout, retry,'
    " catch_up, catch_up_window, started_at IS NOT NULL, text_origin))"
    " FROM schedule_runs AS run JOIN schedules ON schedules.id = schedule_id"
    " WHERE run.id IN (SELECT value FROM json_each(?)) AND status = 'queued'"
    " AND waits_until IS NULL"
    # A pause holds the runs that were queued before; a later run by hand goes on.
    " AND NOT (paused AND claimed_at <= updated_at)"
    " AND user_id NOT IN (SELECT id FROM users WHERE disabled_at IS NOT NULL)"
)
_START = (
    "UPDATE schedule_runs SET status = 'running', attempts = attempts + 1, started_at = ?,"
    " reason = NULL"
    " WHERE id IN (SELECT value FROM json_each(?))"
)
_END_LATE = (
    "UPDATE schedule_runs SET status = 'late', ended_at = ?, reason = late.value"
    " FROM json_each(?) AS late WHERE schedule_runs.id = CAST(late.key AS INTEGER)"
)
_SUCCEED = (
    "UPDATE schedule_runs SET status = 'succeeded', ended_at = ?, result = ?, error = NULL"
    " WHERE id = ?"
)
_SKIP = (
    "UPDATE schedule_runs SET status = 'skipped_budget', ended_at = ?, reason = ?, error = NULL"
    " WHERE id = ? AND ended_at IS NULL"
)
_POSTPONE = (
    "UPDATE schedule_runs SET status = 'queued', attempts = attempts - 1, waits_until = ?,"
    " reason = ? WHERE id = ? AND ended_at IS NULL"
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
    "SELECT json_group_array(json_array(id, schedule_id, exclusive)) FROM"
    " (SELECT run.id, schedule_id, overlap <> 'allow' AS exclusive"
    " FROM schedule_runs AS run JOIN schedules ON schedules.id = schedule_id"
    " WHERE ended_at IS NULL AND status = 'queued' AND waits_until IS NULL"
    " AND NOT (paused AND claimed_at <= updated_at)"
    " AND user_id NOT IN (SELECT id FROM users WHERE disabled_at IS NOT NULL) ORDER BY run.id)"
)
_FIND_ENDED = (
    "SELECT json_group_array(value) FROM json_each(?) WHERE value NOT IN"
    " (SELECT id FROM schedule_runs WHERE ended_at IS NULL)"
)


@dataclass(frozen=True)
class StartedRun:
    """Started run with the schedule's columns that the executor needs.

    Attributes:
        run: the run, as the job receives it.
        job_kind: the name of the job kind.
        failures: the number of failed attempts so far.
        timeout: the seconds that the run may take; None for the setting.
        retry: the seconds before each retry.
    """

    run: Run
    job_kind: str
    failures: int
    timeout: float | None
    retry: Sequence[float]

    def find_timeout(self, default: float) -> float:
        """Return the seconds that the run may take; `default` without an own timeout."""
        return default if self.timeout is None else self.timeout


def recover_runs(now: datetime) -> None:
    """Queue or fail the runs that the end of a former process has interrupted."""
    recovered_at = format_instant(now)
    # In this order: a run that is failed here is not queued again below.
    execute_sql(_FAIL_CRASHED, recovered_at)
    (crashed,) = execute_sql(_FIND_CRASHED).fetchone()
    given_up = [
        run_id
        for run_id, attempts, failures in orjson.loads(crashed)
        if has_crashed_too_often(attempts, failures)
    ]
    execute_sql(_GIVE_UP, recovered_at, dump_json(given_up))
    execute_sql(_QUEUE_AGAIN)


def find_queued_runs() -> list[WaitingRun]:
    """Return the queued runs that do not wait for a retry, the oldest first."""
    (found,) = execute_sql(_FIND_QUEUED).fetchone()
    return load_waiting_runs(found)


def find_ended_runs(run_ids: Sequence[int]) -> list[int]:
    """Return the runs among `run_ids` that have ended or were deleted."""
    (found,) = execute_sql(_FIND_ENDED, dump_json(run_ids)).fetchone()
    return list(orjson.loads(found))


def start_runs(run_ids: Sequence[int], now: datetime, defaults: RunDefaults) -> list[StartedRun]:
    """Mark queued runs as running and return these runs.

    A run that was cancelled or deleted meanwhile is left out. A run that has waited for too
    long is left out and ends as late.
    """
    (found,) = execute_sql(_READ_QUEUED, dump_json(run_ids)).fetchone()
    started: list[StartedRun] = []
    # Keys of a JSON object are text.
    late: dict[str, str] = {}
    for row in (_Row(*cells) for cells in orjson.loads(found)):
        reason = row.explain_lateness(now, defaults)
        if reason is None:
            started.append(row.make_started_run())
        else:
            late[str(row.run_id)] = reason
    if late:
        execute_sql(_END_LATE, format_instant(now), dump_json(late))
    if started:
        execute_sql(_START, format_instant(now), dump_json([each.run.id for each in started]))
    return started


class _Row(NamedTuple):
    """Row of `_READ_QUEUED`."""

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
    was_started: int
    text_origin: str | None

    def explain_lateness(self, now: datetime, defaults: RunDefaults) -> str | None:
        # Only a first start can be late: a run that is started again was in time once.
        if self.was_started or self.trigger != RunTrigger.SCHEDULE:
            return None
        max_lateness = defaults.find_max_lateness(self.catch_up, self.catch_up_window)
        return explain_lateness(datetime.fromisoformat(self.due_at), now, max_lateness)

    def make_started_run(self) -> StartedRun:
        run = Run(
            id=self.run_id,
            schedule_id=self.schedule_id,
            schedule_name=self.name,
            user_id=self.user_id,
            scheduled_for=datetime.fromisoformat(self.scheduled_for),
            time_zone=self.time_zone,
            attempts=self.attempts + 1,
            parameters=self.parameters,
            origin=self.text_origin,
        )
        return StartedRun(
            run, self.job_kind, self.failures, self.timeout, orjson.loads(self.retry)
        )


def end_run(tx: Transaction, run: Run, finish: Finish, now: datetime) -> None:
    """Write the product and the result of a run, and emit ``scheduled_trigger``.

    Nothing is written when the run was cancelled or deleted meanwhile.
    """
    # Checked in this transaction: a cancellation that was committed before it wins.
    if find_ended_runs([run.id]):
        return
    result = dict(finish(tx))
    execute_sql(_SUCCEED, format_instant(now), dump_json(result), run.id)
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
    """Record that a run was skipped, because the daily LLM budget is exhausted."""
    execute_sql(_SKIP, format_instant(now), reason, run_id)


def postpone_run(run_id: int, seconds: float, reason: str, now: datetime) -> None:
    """Put a started run back into the queue for `seconds`; this start counts as no attempt."""
    execute_sql(_POSTPONE, format_instant(now + timedelta(seconds=seconds)), reason, run_id)


def fail_run(started: StartedRun, error: BaseException, now: datetime) -> timedelta | None:
    """Record a failed attempt; return the wait before the retry, or None without a retry."""
    reason = describe_exception(error)
    seconds = Backoff(started.retry).find_wait(started.failures + 1)
    wait = None if seconds is None else timedelta(seconds=seconds)
    execute_sql(
        _FAIL,
        RunStatus.FAILED if wait is None else RunStatus.QUEUED,
        format_instant(now) if wait is None else None,
        # The wait is a column and not a timer: a restart keeps it.
        None if wait is None else format_instant(now + wait),
        reason,
        started.run.id,
    )
    return wait
