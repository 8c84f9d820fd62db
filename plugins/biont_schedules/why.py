"""Why a schedule did, or did not, run: answered from the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta

from biont.scheduling import RunStatus, Schedule, ScheduleRun, ScheduleState, Timing

_BECAME = {
    RunStatus.QUEUED: "waits for its turn",
    RunStatus.RUNNING: "goes on",
    RunStatus.SUCCEEDED: "succeeded",
    RunStatus.FAILED: "failed",
    RunStatus.LATE: "was not started in time, and not run any more",
    RunStatus.MISSED: "was missed",
    RunStatus.COALESCED: "was left to a later one",
    RunStatus.SKIPPED_OVERLAP: "was skipped, since another went on",
    RunStatus.SKIPPED_BUDGET: "was skipped, since the day's budget was used up",
    RunStatus.CANCELLED: "was cancelled",
}
_MOMENT = timedelta(microseconds=1)
_RECENT = 5


def explain_schedule(schedule: Schedule, at: datetime | None, now: datetime) -> list[str]:
    """Say, in sentences, what became of a schedule.

    Args:
        schedule: which one.
        at: the instant that is asked about; None asks about the present.
        now: the present.
    """
    told = [_tell_state(schedule)]
    if at is not None:
        return told + _explain_instant(schedule, at, now)
    runs = ScheduleRun.select().where(ScheduleRun.schedule == schedule)
    recent = list(runs.order_by(ScheduleRun.id.desc()).limit(_RECENT))
    if not recent:
        return [
            *told,
            f"It has had no due instant since it was made at {_show(schedule.created_at)}.",
        ]
    return told + [_tell_run(run) for run in recent]


def _tell_state(schedule: Schedule) -> str:
    match schedule.state:
        case ScheduleState.PAUSED:
            return (
                f"It is paused, since {_show(schedule.updated_at)} at the latest: nothing is due."
            )
        case ScheduleState.FINISHED:
            return "It is finished: it has had its runs, or its end has passed; nothing is due."
        case _:
            assert schedule.next_fire_at is not None  # noqa: S101  # what active means
            return f"It is active and due next at {_show(schedule.next_fire_at)}."


def _explain_instant(schedule: Schedule, at: datetime, now: datetime) -> list[str]:
    run = ScheduleRun.get_or_none(
        ScheduleRun.schedule == schedule,
        (ScheduleRun.scheduled_for == at) | (ScheduleRun.due_at == at),
    )
    if run is not None:
        return [_tell_run(run)]
    if at < schedule.created_at:
        return [f"It was made at {_show(schedule.created_at)}, after {_show(at)}."]
    timing = Timing.of(schedule)
    if timing.next_after(at - _MOMENT) != at:
        following = timing.next_after(at)
        later = "never again" if following is None else f"at {_show(following)}"
        return [f"It is not due at {_show(at)}; after that it is due {later}."]
    if at > now:
        return [f"{_show(at)} is still to come."]
    changed = _show(schedule.updated_at)
    return [
        f"There is no record of {_show(at)}: it was paused then, or due at other times.",
        f"It was changed last at {changed}.",
    ]


def _tell_run(run: ScheduleRun) -> str:
    told = f"The run {run.id} of {_show(run.scheduled_for)} {_BECAME[RunStatus(run.status)]}"
    if run.started_at is not None:
        told += f"; it was started at {_show(run.started_at)}"
    if run.ended_at is not None and run.started_at is not None:
        told += f" and ended at {_show(run.ended_at)}"
    why = run.reason or (run.error if run.status == RunStatus.FAILED else None)
    return f"{told}: {why}" if why else f"{told}."


def _show(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
