"""What the scheduler tells the rest."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field

from biont.event_types import EventType
from biont.schema import Schema


class ScheduledTrigger(Schema):
    """A run, and what its job adds: that of a prompt adds `note_id` and `model`."""

    model_config = ConfigDict(extra="allow")

    schedule_id: int
    run_id: int
    name: str = Field(description="What the schedule is called.")
    scheduled_for: AwareDatetime = Field(description="The instant that was due.")
    status: Literal["succeeded"]


SCHEDULED_TRIGGER = EventType(
    "scheduled_trigger", ScheduledTrigger, "A run of a schedule has succeeded."
)
