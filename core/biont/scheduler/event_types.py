"""Event types that the scheduler emits."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field

from biont.event_types import EventType
from biont.schema import Schema


class ScheduledTrigger(Schema):
    """A successful run; the job may add fields: a prompt adds `note_id` and `model`."""

    model_config = ConfigDict(extra="allow")

    schedule_id: int
    run_id: int
    name: str = Field(description="Name of the schedule.")
    scheduled_for: AwareDatetime = Field(description="The occurrence.")
    status: Literal["succeeded"]


SCHEDULED_TRIGGER = EventType(
    "scheduled_trigger", ScheduledTrigger, "A run of a schedule has succeeded."
)
