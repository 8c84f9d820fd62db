"""Requests and views of schedules for REST clients."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from pydantic import ConfigDict, Field, JsonValue

from biont import Schema
from biont.http import exactly_one_of
from biont.scheduling import (
    CalendarInterval,
    CatchUp,
    OnCrash,
    Overlap,
    Schedule,
    ScheduleState,
    TimingKind,
)
from biont.store import dump_json
from biont_schedules.fields import Duration
from biont_schedules.timing import (
    CHOICES,
    TimingChange,
    When,
    describe_timing,
    read_cron,
    read_every,
)

Name = Annotated[str, Field(min_length=1, max_length=200)]
Prompt = Annotated[str, Field(min_length=1, max_length=20_000)]


class Options(When):
    """Timing and run policy of a schedule."""

    max_runs: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        None, description="Number of runs after which the schedule is finished."
    )
    jitter: Duration = Field(
        0,
        description="Largest delay in seconds, or `5m`; a schedule always has the same delay.",
    )
    catch_up: CatchUp = Field(
        CatchUp.LATEST, description="Missed occurrences that are run after all."
    )
    catch_up_window: Duration | None = Field(
        None,
        description="Largest age of missed occurrences, in seconds or `1h`; null for the setting.",
    )
    catch_up_limit: Annotated[int, Field(ge=1, le=1000)] = Field(
        100, description="Largest number of missed occurrences that `all` runs."
    )
    overlap: Overlap = Field(
        Overlap.SKIP, description="Treatment of an occurrence while an earlier run is active."
    )
    timeout: Annotated[float, Field(gt=0, le=86400)] | None = Field(
        None, description="Seconds that a run may take; null for the setting."
    )
    retry: Annotated[list[Annotated[float, Field(ge=0, le=86400)]], Field(max_length=20)] = Field(
        default_factory=list, description="Seconds before each retry of a failed run."
    )
    daily_budget: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        None, description="Number of runs allowed on one day of the time zone."
    )
    on_crash: OnCrash = Field(
        OnCrash.RESUME,
        description="Treatment of a run that the end of the process has interrupted.",
    )

    def list_columns(self) -> dict[str, object]:
        """Return the given fields as columns of a schedule.

        Raises:
            InvalidInput: more than one of `cron`, `every` and `at` is given.
        """
        own = set(Options.model_fields) - set(When.model_fields)
        columns = super().list_columns() | self.model_dump(include=own, exclude_unset=True)
        if "retry" in columns:
            columns["retry"] = dump_json(self.retry)
        return columns


class NewSchedule(Options):
    """Schedule to create."""

    model_config = ConfigDict(json_schema_extra=exactly_one_of(*CHOICES))

    name: Name | None = None
    prompt: Prompt | None = Field(
        None,
        description="Prompt for the language model. Short for the parameter of a job `prompt`.",
    )
    job: Annotated[str, Field(max_length=100)] = Field(
        "prompt", description="Name of the job kind; plugins add job kinds."
    )
    parameters: dict[str, JsonValue] = Field(
        default_factory=dict, description="Parameters of the job kind."
    )


class ScheduleChange(TimingChange, Options):
    """Fields to change, as a JSON merge patch (RFC 7396)."""

    name: Name = ""
    prompt: Prompt = ""
    parameters: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Parameters to change, merged one by one; null takes a parameter away. "
        "A list replaces the present list.",
    )


class ScheduleView(Schema):
    """Stored schedule."""

    state_fields = frozenset({"state", "run_count", "paused", "next_fire_at", "updated_at"})

    id: int
    name: str
    state: ScheduleState
    kind: TimingKind
    words: str = Field(
        description="Timing in words and in local time: `At 09:00, Monday to Friday`."
    )
    cron: str | None
    seconds: bool
    every: int | CalendarInterval | None
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
        description="`file` for a declared schedule, `reminder` for a reminder's schedule."
    )
    text_origin: str | None = Field(
        description="Event by which text of another system came in that led to the schedule; null "
        "for none."
    )
    slug: str | None = Field(description="Name of a declared schedule in the file.")
    job: str
    parameters: dict[str, JsonValue]
    paused: bool
    next_fire_at: datetime | None = Field(description="Next occurrence, in UTC.")
    created_at: datetime
    updated_at: datetime


def make_schedule_view(schedule: Schedule) -> ScheduleView:
    """Return the view of a schedule."""
    return ScheduleView(
        id=schedule.id,
        name=schedule.name,
        state=schedule.state,
        kind=TimingKind(schedule.kind),
        words=describe_timing(schedule),
        cron=read_cron(schedule),
        seconds=schedule.seconds,
        every=read_every(schedule),
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
        text_origin=schedule.text_origin,
        slug=schedule.slug,
        job=schedule.job_kind,
        parameters=orjson.loads(schedule.parameters),
        paused=schedule.paused,
        next_fire_at=schedule.next_fire_at,
        created_at=schedule.created_at,
        updated_at=schedule.updated_at,
    )
