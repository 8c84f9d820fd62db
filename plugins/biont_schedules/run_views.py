"""What REST clients see of runs, and of instants to come."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from pydantic import Field, JsonValue

from biont import Schema
from biont.scheduling import Preview, RunStatus, RunTrigger, ScheduleRun, WallTime
from biont_schedules.timing import DueInstant, When


class RunView(Schema):
    """What became of one due instant."""

    id: int
    schedule_id: int
    scheduled_for: datetime = Field(description="The instant, without jitter.")
    due_at: datetime = Field(description="The same with jitter.")
    status: RunStatus
    trigger: RunTrigger
    attempts: int
    claimed_at: datetime
    started_at: datetime | None
    waits_until: datetime | None = Field(description="When it is tried again after a failure.")
    ended_at: datetime | None
    duration: float | None = Field(description="From its last start to its end, in seconds.")
    error: str | None
    reason: str | None = Field(description="Why it was not run, where it was not.")
    correlation_id: str = Field(description="What the events that it caused have in common.")
    result: dict[str, JsonValue] | None


class PreviewRequest(When):
    """What is asked about."""

    start: DueInstant | None = Field(None, description="From when on; by default from now.")
    count: Annotated[int, Field(ge=1, le=200)] = 10


class PreviewItem(Schema):
    """One instant at which it would be due."""

    instant: datetime = Field(description="In UTC.")
    local_time: str = Field(description="What the clock shows in the zone, with its offset.")
    wall_time: WallTime = Field(
        description="`gap`: the clock skips what was asked for; `overlap`: it shows it twice."
    )


class PreviewAnswer(Schema):
    """When it would be due."""

    words: str = Field(description="The same in words: `At 09:00, Monday to Friday`.")
    time_zone: str
    instants: list[PreviewItem]


class Upcoming(Schema):
    """One instant to come of one of your schedules."""

    schedule_id: int
    name: str
    due_at: datetime


def show_run(run: ScheduleRun) -> RunView:
    """Return a run as its user sees it."""
    duration = None
    if run.started_at is not None and run.ended_at is not None:
        duration = (run.ended_at - run.started_at).total_seconds()
    return RunView(
        id=run.id,
        schedule_id=run.schedule_id,
        scheduled_for=run.scheduled_for,
        due_at=run.due_at,
        status=RunStatus(run.status),
        trigger=RunTrigger(run.trigger),
        attempts=run.attempts,
        claimed_at=run.claimed_at,
        started_at=run.started_at,
        waits_until=run.waits_until,
        ended_at=run.ended_at,
        duration=duration,
        error=run.error,
        reason=run.reason,
        correlation_id=f"run-{run.id}",
        result=None if run.result is None else orjson.loads(run.result),
    )


def show_preview(found: Preview) -> PreviewItem:
    """Return an instant to come as REST clients see it."""
    return PreviewItem(
        instant=found.instant,
        local_time=found.local_time.isoformat(),
        wall_time=found.wall_time,
    )
