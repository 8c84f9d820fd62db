"""What REST clients send and see of schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from biont import CronExpression, RunStatus, Schedule, ScheduleRun, parse_time_zone
from biont.exceptions import InvalidExpression, UnknownTimeZone


def _check_expression(text: str) -> str:
    try:
        return CronExpression.parse(text).text
    except InvalidExpression as error:
        raise ValueError(str(error)) from error


def _check_time_zone(name: str) -> str:
    try:
        return parse_time_zone(name).key
    except UnknownTimeZone as error:
        raise ValueError(str(error)) from error


Expression = Annotated[
    str,
    AfterValidator(_check_expression),
    Field(description="Minute, hour, day, month, weekday: `0 9 * * 1-5`."),
]
TimeZone = Annotated[
    str,
    AfterValidator(_check_time_zone),
    Field(description="An IANA name: `Europe/Berlin`. By default the workbench's own."),
]


class NewSchedule(BaseModel):
    """What is to be done when."""

    model_config = ConfigDict(extra="forbid")

    cron: Expression
    time_zone: TimeZone | None = None
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    prompt: Annotated[str, Field(min_length=1, max_length=20_000)] | None = Field(
        None, description="What the AI is asked. Short for the parameter of a job `prompt`."
    )
    job: Annotated[str, Field(max_length=100)] = Field(
        "prompt", description="The kind of job; plugins add their own."
    )
    parameters: dict[str, JsonValue] = Field(
        default_factory=dict, description="What the kind of job needs to know."
    )


class ScheduleView(BaseModel):
    """A schedule as it is kept."""

    id: int
    name: str
    cron: str
    time_zone: str
    job: str
    parameters: dict[str, JsonValue]
    paused: bool
    next_fire_at: datetime | None = Field(description="When it is due next, in UTC.")
    created_at: datetime
    updated_at: datetime


class RunView(BaseModel):
    """What became of one due instant."""

    id: int
    scheduled_for: datetime
    status: RunStatus
    attempts: int
    started_at: datetime | None
    ended_at: datetime | None
    error: str | None
    result: dict[str, JsonValue] | None


def show_schedule(schedule: Schedule) -> ScheduleView:
    """Return a schedule as its user sees it."""
    return ScheduleView(
        id=schedule.id,
        name=schedule.name,
        cron=schedule.expression,
        time_zone=schedule.time_zone,
        job=schedule.job_kind,
        parameters=orjson.loads(schedule.parameters),
        paused=schedule.paused,
        next_fire_at=schedule.next_fire_at,
        created_at=schedule.created_at,
        updated_at=schedule.updated_at,
    )


def show_run(run: ScheduleRun) -> RunView:
    """Return a run as its user sees it."""
    return RunView(
        id=run.id,
        scheduled_for=run.scheduled_for,
        status=RunStatus(run.status),
        attempts=run.attempts,
        started_at=run.started_at,
        ended_at=run.ended_at,
        error=run.error,
        result=None if run.result is None else orjson.loads(run.result),
    )
