"""REST route that simulates a change of a schedule."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from biont import Api, Request, RowId, Schema
from biont.exceptions import InputProblem, InvalidInput
from biont.scheduling import JOB_KINDS, Downtime, RunStatus, Schedule, ScheduleRun, SimulatedRun
from biont_schedules.changes import list_changes, list_job_changes
from biont_schedules.fields import DueInstant
from biont_schedules.views import ScheduleChange
from biont_schedules.what_if import Outcomes, Situation, Trial, read_situation, run_trial

api = Api("schedule")

Days = Annotated[int, Field(ge=1, le=31, description="Number of days to simulate from now on.")]
Seconds = Annotated[
    float | None,
    Field(
        ge=0,
        le=86400,
        description="Seconds that each run takes; by default the mean of the last runs.",
    ),
]
Shown = Annotated[
    int, Field(ge=1, le=200, description="Largest number of occurrences in the answer.")
]
DownFrom = Annotated[
    DueInstant | None, Field(description="Begin of a time without a scheduler; with `down_until`.")
]
DownUntil = Annotated[
    DueInstant | None, Field(description="End of the time without a scheduler; with `down_from`.")
]


class SimulatedOccurrence(Schema):
    """Simulated outcome of an occurrence."""

    scheduled_for: datetime = Field(description="The occurrence, without jitter.")
    due_at: datetime = Field(description="The occurrence with jitter.")
    status: RunStatus
    reason: str | None = Field(description="Reason why there would be no run, or a failed run.")
    started_at: datetime | None
    ended_at: datetime | None


class SimulatedSchedule(Schema):
    """Simulated future of a schedule."""

    words: str = Field(description="Timing in words: `At 09:00, Monday to Friday`.")
    time_zone: str
    counts: dict[RunStatus, int] = Field(description="Number of occurrences by status.")
    occurrences: list[SimulatedOccurrence] = Field(description="The first occurrences.")


class ActiveRun(Schema):
    """Run that has not ended."""

    id: int
    status: RunStatus
    started_at: datetime | None


class SimulationAnswer(Schema):
    """Future of a schedule as it is, and with a change."""

    start: datetime
    until: datetime = Field(
        description="End of the simulation; earlier than asked for if there are very many "
        "occurrences."
    )
    duration: float = Field(description="Seconds that each run takes.")
    active_runs: list[ActiveRun] = Field(
        description="Runs that are active now. `overlap` decides about an occurrence that is due "
        "before these end; the simulation begins without them."
    )
    present: SimulatedSchedule = Field(description="The schedule as it is.")
    changed: SimulatedSchedule = Field(description="The schedule with the change.")


@api.post("/schedule/{schedule_id}/simulate", status=200, example={"cron": "*/10 * * * *"})
async def simulate_schedule(  # noqa: PLR0913, PLR0917  # they are parameters of the query
    request: Request,
    schedule_id: RowId,
    body: ScheduleChange | None = None,
    days: Days = 7,
    duration: Seconds = None,
    down_from: DownFrom = None,
    down_until: DownUntil = None,
    limit: Shown = 10,
) -> SimulationAnswer:
    """Simulate a change of a schedule before it is made; nothing is stored and no job runs.

    The body is that of the `PATCH` that would make the change. The answer has the next
    occurrences with the outcomes of the run policy, as the schedule is and with the change. A
    paused schedule is simulated as if resumed.
    """
    workbench, change = request.workbench, body or ScheduleChange()
    now = workbench.clock.now()
    kinds = workbench.get(JOB_KINDS)
    zone = await workbench.find_time_zone(request.user_id)

    def read() -> Situation:
        schedule = Schedule.get_owned(request.user_id, schedule_id)
        columns = list_changes(schedule, change, zone) | list_job_changes(schedule, change, kinds)
        return read_situation(schedule, columns, now)

    trial = Trial(
        start=now,
        until=now + timedelta(days=days),
        duration=None if duration is None else timedelta(seconds=duration),
        downtime=_read_downtime(down_from, down_until),
    )
    situation = await workbench.store.read(read)
    # In a thread, because the simulation is half a second of work.
    until, present, changed = await asyncio.to_thread(run_trial, workbench, situation, trial)
    taken = situation.mean_duration if trial.duration is None else trial.duration
    return SimulationAnswer(
        start=now,
        until=until,
        duration=taken.total_seconds(),
        active_runs=[_make_active_run(run) for run in situation.active_runs],
        present=_make_simulated(present, limit),
        changed=_make_simulated(changed, limit),
    )


def _read_downtime(start: datetime | None, end: datetime | None) -> Downtime | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        missing = "down_from" if start is None else "down_until"
        raise InvalidInput(InputProblem("give both down_from and down_until", missing))
    if end < start:
        raise InvalidInput(InputProblem("is before down_from", "down_until"))
    return Downtime(start.astimezone(UTC), end.astimezone(UTC))


def _make_active_run(run: ScheduleRun) -> ActiveRun:
    return ActiveRun(id=run.id, status=RunStatus(run.status), started_at=run.started_at)


def _make_simulated(outcomes: Outcomes, limit: int) -> SimulatedSchedule:
    return SimulatedSchedule(
        words=outcomes.words,
        time_zone=outcomes.time_zone,
        counts=dict(outcomes.count_statuses()),
        occurrences=[_make_occurrence(run) for run in outcomes.runs[:limit]],
    )


def _make_occurrence(run: SimulatedRun) -> SimulatedOccurrence:
    return SimulatedOccurrence(
        scheduled_for=run.scheduled_for,
        due_at=run.due_at,
        status=run.status,
        reason=run.reason,
        started_at=run.started_at,
        ended_at=run.ended_at,
    )
