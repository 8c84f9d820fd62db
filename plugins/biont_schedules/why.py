"""Explanation: reports from the table of runs why a schedule did, or did not, run."""

from __future__ import annotations

from datetime import datetime, timedelta

from biont.scheduling import RunStatus, Schedule, ScheduleRun, Timing

_PHRASES = {
    RunStatus.QUEUED: "waits for its turn",
    RunStatus.RUNNING: "is running",
    RunStatus.SUCCEEDED: "succeeded",
    RunStatus.FAILED: "failed",
    RunStatus.LATE: "was not started in time, and not run any more",
    RunStatus.MISSED: "was missed",
    RunStatus.COALESCED: "was left to a later run",
    RunStatus.SKIPPED_OVERLAP: "was skipped, because another run was active",
    RunStatus.SKIPPED_BUDGET: "was skipped, because the day's budget was exhausted",
    RunStatus.CANCELLED: "was cancelled",
}
_MOMENT = timedelta(microseconds=1)
_RECENT = 5
"""The number of runs that are reported when no instant is asked about."""


def explain_schedule(schedule: Schedule, at: datetime | None, now: datetime) -> list[str]:
    """Return sentences about the state and the runs of a schedule.

    Args:
        schedule: the schedule.
        at: the instant in question; None for the latest runs.
        now: the present instant.
    """
    state = _describe_state(schedule)
    if at is not None:
        return [state, *_explain_instant(schedule, at, now)]
    runs = ScheduleRun.select().where(ScheduleRun.schedule == schedule)
    recent = list(runs.order_by(ScheduleRun.id.desc()).limit(_RECENT))
    if not recent:
        created_at = _format_utc(schedule.created_at)
        return [state, f"There was no occurrence since the schedule was created at {created_at}."]
    return [state, *map(_describe_run, recent)]


def _describe_state(schedule: Schedule) -> str:
    if schedule.paused:
        return (
            f"The schedule is paused, since {_format_utc(schedule.updated_at)} at the latest: "
            "nothing is due."
        )
    if schedule.next_fire_at is None:
        return (
            "The schedule is finished: it has had its runs, or its end has passed; nothing is due."
        )
    return f"The schedule is active and due next at {_format_utc(schedule.next_fire_at)}."


def _explain_instant(schedule: Schedule, at: datetime, now: datetime) -> list[str]:
    run = ScheduleRun.get_or_none(
        ScheduleRun.schedule == schedule,
        (ScheduleRun.scheduled_for == at) | (ScheduleRun.due_at == at),
    )
    if run is not None:
        return [_describe_run(run)]
    asked = _format_utc(at)
    if at < schedule.created_at:
        return [f"The schedule was created at {_format_utc(schedule.created_at)}, after {asked}."]
    timing = Timing.of(schedule)
    if timing.next_after(at - _MOMENT) != at:
        following = timing.next_after(at)
        later = "never again" if following is None else f"at {_format_utc(following)}"
        return [f"The schedule is not due at {asked}; after that it is due {later}."]
    if at > now:
        return [f"{asked} is still to come."]
    # The schedule is due then by its present timing, but there is no row: the timing was
    # another, or the schedule was paused. The table keeps no history of changes.
    return [
        f"There is no record of {asked}: the schedule was paused then, or due at other times.",
        f"The schedule was changed last at {_format_utc(schedule.updated_at)}.",
    ]


def _describe_run(run: ScheduleRun) -> str:
    phrase = _PHRASES[RunStatus(run.status)]
    sentence = f"The run {run.id} of {_format_utc(run.scheduled_for)} {phrase}"
    if run.started_at is not None:
        sentence += f"; it was started at {_format_utc(run.started_at)}"
        if run.ended_at is not None:
            sentence += f" and ended at {_format_utc(run.ended_at)}"
    reason = run.reason or (run.error if run.status == RunStatus.FAILED else None)
    return f"{sentence}: {reason}" if reason else f"{sentence}."


def _format_utc(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
