"""What REST clients send and see of schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from pydantic import Field, JsonValue

from biont import Schema
from biont.scheduling import CatchUp, OnCrash, Overlap, Schedule, ScheduleState, TimingKind
from biont_schedules.timing import Duration, When

Name = Annotated[str, Field(min_length=1, max_length=200)]
Prompt = Annotated[str, Field(min_length=1, max_length=20_000)]


class Options(When):
    """When a schedule is due, and what to do when that does not go smoothly."""

    max_runs: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        None, description="After so many runs it is finished."
    )
    jitter: Duration = Field(
        0, description="Up to so many seconds later, or `5m`: always the same for one schedule."
    )
    catch_up: CatchUp = Field(
        CatchUp.LATEST, description="Which of the instants that were missed are run after all."
    )
    catch_up_window: Duration | None = Field(
        None, description="How old these may be, in seconds, or `1h`; null for the setting."
    )
    catch_up_limit: Annotated[int, Field(ge=1, le=1000)] = Field(
        100, description="How many of them `all` runs at most."
    )
    overlap: Overlap = Field(
        Overlap.SKIP, description="What an instant does while an earlier run goes on."
    )
    timeout: Annotated[float, Field(gt=0, le=86400)] | None = Field(
        None, description="How long a run may take, in seconds; null for the setting."
    )
    retry: Annotated[list[Annotated[float, Field(ge=0, le=86400)]], Field(max_length=20)] = Field(
        default_factory=list, description="Seconds before each new try of a run that failed."
    )
    daily_budget: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        None, description="How many runs a day of its zone may have."
    )
    on_crash: OnCrash = Field(
        OnCrash.RESUME, description="What becomes of a run in the middle of which all ended."
    )

    def list_columns(self) -> dict[str, object]:
        """Return what was given, as columns of a schedule.

        Raises:
            InvalidInput: more than one of `cron`, `every` and `at` is given.
        """
        own = set(Options.model_fields) - set(When.model_fields)
        columns = super().list_columns() | self.model_dump(include=own, exclude_unset=True)
        if "retry" in columns:
            columns["retry"] = orjson.dumps(self.retry).decode()
        return columns


class NewSchedule(Options):
    """What is to be done when."""

    name: Name | None = None
    prompt: Prompt | None = Field(
        None, description="What the AI is asked. Short for the parameter of a job `prompt`."
    )
    job: Annotated[str, Field(max_length=100)] = Field(
        "prompt", description="The kind of job; plugins add their own."
    )
    parameters: dict[str, JsonValue] = Field(
        default_factory=dict, description="What the kind of job needs to know."
    )


class ScheduleChange(Options):
    """What is to be otherwise; what is left out stays as it is."""

    name: Name | None = None
    prompt: Prompt | None = None
    parameters: dict[str, JsonValue] | None = Field(
        None, description="Instead of those that it has."
    )


class ScheduleView(Schema):
    """A schedule as it is kept."""

    id: int
    name: str
    state: ScheduleState
    kind: TimingKind
    cron: str | None
    seconds: bool
    every: int | None
    at: datetime | None
    time_zone: str
    starts_at: datetime | None
    ends_at: datetime | None
    max_runs: int | None
    run_count: int
    jitter: int
    catch_up: CatchUp
    catch_up_window: float | None
    catch_up_limit: int
    overlap: Overlap
    timeout: float | None
    retry: list[float]
    daily_budget: int | None
    on_crash: OnCrash
    origin: str | None = Field(
        description="`file` when it is declared in one, `reminder` when it is one's."
    )
    slug: str | None = Field(description="By what name it is declared there.")
    job: str
    parameters: dict[str, JsonValue]
    paused: bool
    next_fire_at: datetime | None = Field(description="When it is due next, in UTC.")
    created_at: datetime
    updated_at: datetime


def show_schedule(schedule: Schedule) -> ScheduleView:
    """Return a schedule as its user sees it."""
    return ScheduleView(
        id=schedule.id,
        name=schedule.name,
        state=schedule.state,
        kind=TimingKind(schedule.kind),
        cron=schedule.expression or None,
        seconds=schedule.seconds,
        every=schedule.every,
        at=schedule.at,
        time_zone=schedule.time_zone,
        starts_at=schedule.starts_at,
        ends_at=schedule.ends_at,
        max_runs=schedule.max_runs,
        run_count=schedule.run_count,
        jitter=schedule.jitter,
        catch_up=CatchUp(schedule.catch_up),
        catch_up_window=schedule.catch_up_window,
        catch_up_limit=schedule.catch_up_limit,
        overlap=Overlap(schedule.overlap),
        timeout=schedule.timeout,
        retry=orjson.loads(schedule.retry),
        daily_budget=schedule.daily_budget,
        on_crash=OnCrash(schedule.on_crash),
        origin=schedule.origin,
        slug=schedule.slug,
        job=schedule.job_kind,
        parameters=orjson.loads(schedule.parameters),
        paused=schedule.paused,
        next_fire_at=schedule.next_fire_at,
        created_at=schedule.created_at,
        updated_at=schedule.updated_at,
    )
