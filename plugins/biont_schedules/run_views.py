"""Views of runs and previews for REST clients."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import orjson
from pydantic import ConfigDict, Field, JsonValue

from biont import RowId, Schema
from biont.http import exactly_one_of
from biont.scheduling import (
    Preview,
    RunStatus,
    RunTrigger,
    Schedule,
    ScheduleRun,
    WallTime,
    find_jitter,
)
from biont_schedules.fields import DueInstant, Duration
from biont_schedules.timing import CHOICES, When
from biont_schedules.upcoming import Occurrence


class RunView(Schema):
    """Due occurrence of a schedule, with the run if any."""

    id: int
    schedule_id: int
    scheduled_for: datetime = Field(description="The occurrence, without jitter.")
    due_at: datetime = Field(description="The occurrence with jitter.")
    status: RunStatus
    trigger: RunTrigger
    attempts: int
    claimed_at: datetime
    started_at: datetime | None
    waits_until: datetime | None = Field(
        description="Instant of the next retry, or end of a postponement; `reason` says why."
    )
    ended_at: datetime | None
    duration: float | None = Field(description="Seconds from the last start to the end.")
    error: str | None
    reason: str | None = Field(description="Reason why the occurrence was not run.")
    correlation_id: str = Field(description="Correlation id of the events that the run caused.")
    result: dict[str, JsonValue] | None


class PreviewRequest(When):
    """Timing to preview."""

    model_config = ConfigDict(json_schema_extra=exactly_one_of(*CHOICES))

    start: DueInstant | None = Field(
        None, description="Preview after this instant; by default after now."
    )
    count: Annotated[int, Field(ge=1, le=200)] = 10
    jitter: Duration = Field(0, description="Largest delay in seconds, or `5m`.")
    schedule_id: RowId | None = Field(
        None,
        description="Schedule whose delay is meant, and whose `jitter` is the default; a new "
        "schedule gets its delay when it is created.",
    )

    def find_delay(self, schedule: Schedule | None) -> timedelta | None:
        """Return the delay by jitter; None for a new schedule, whose delay is not known yet."""
        if schedule is not None:
            given = "jitter" in self.model_fields_set
            return find_jitter(schedule.id, self.jitter if given else schedule.jitter)
        return None if self.jitter else timedelta(0)


class PreviewItem(Schema):
    """Previewed occurrence."""

    instant: datetime = Field(description="In UTC, without jitter.")
    due_at: datetime | None = Field(
        description="With jitter; null for a new schedule, whose delay is not known yet."
    )
    latest_at: datetime = Field(description="With the largest delay that jitter may add.")
    local_time: str = Field(description="Local time in the zone, with offset.")
    wall_time: WallTime = Field(
        description="`gap`: the clock skips the wall time; `overlap`: the clock shows it twice."
    )


class PreviewAnswer(Schema):
    """Occurrences of a timing."""

    words: str = Field(description="Timing in words: `At 09:00, Monday to Friday`.")
    time_zone: str
    instants: list[PreviewItem]


class Upcoming(Schema):
    """Upcoming occurrence of a schedule of yours."""

    schedule_id: int
    name: str
    scheduled_for: datetime = Field(description="The occurrence, without jitter.")
    due_at: datetime = Field(description="The occurrence with jitter.")
    problem: str | None = Field(
        description="Reason why the occurrence will fail; null for a valid timing."
    )


def make_run_view(run: ScheduleRun) -> RunView:
    """Return the view of a run."""
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


def make_upcoming_view(found: Occurrence) -> Upcoming:
    """Return the view of an upcoming occurrence."""
    return Upcoming(
        schedule_id=found.schedule.id,
        name=found.schedule.name,
        scheduled_for=found.scheduled_for,
        due_at=found.due_at,
        problem=found.problem,
    )


def make_preview_item(found: Preview, delay: timedelta | None, jitter: int) -> PreviewItem:
    """Return the view of a previewed occurrence.

    Args:
        found: the occurrence.
        delay: the delay by jitter; None if not known yet.
        jitter: the largest delay, in seconds.
    """
    latest = timedelta(seconds=jitter) if delay is None else delay
    return PreviewItem(
        instant=found.instant,
        due_at=None if delay is None else found.instant + delay,
        latest_at=found.instant + latest,
        local_time=found.local_time.isoformat(),
        wall_time=found.wall_time,
    )
