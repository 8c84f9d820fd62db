"""The events of missions and tasks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from biont import EventType, Schema


class MissionCreated(Schema):
    """Which mission it is."""

    mission_id: int
    goal: str


class MissionEnded(MissionCreated):
    """Which mission it is, and what it has left."""

    note_id: int | None = Field(description="The report; null when there is none.")
    tokens: int = Field(description="What it has cost.")


class MissionCompleted(MissionEnded):
    """Which mission it is, and what it has left."""

    status: Literal["completed"]


class MissionFailed(MissionEnded):
    """Which mission it is, and why it failed."""

    status: Literal["failed"]
    error: str


class TaskCompleted(Schema):
    """Which task it is."""

    task_id: int
    mission_id: int | None = Field(description="Null for a task of its own.")
    title: str
    status: Literal["completed"]


class TaskFailed(Schema):
    """Which task it is, and why it failed."""

    task_id: int
    mission_id: int | None
    title: str
    status: Literal["failed"]
    error: str


MISSION_CREATED = EventType("mission_created", MissionCreated, "A mission was created.")
MISSION_COMPLETED = EventType(
    "mission_completed", MissionCompleted, "A mission has reached its goal."
)
MISSION_FAILED = EventType("mission_failed", MissionFailed, "A mission has failed.")
TASK_COMPLETED = EventType("task_completed", TaskCompleted, "A task was completed.")
TASK_FAILED = EventType("task_failed", TaskFailed, "A task of a mission has failed.")

EVENT_TYPES = (MISSION_CREATED, MISSION_COMPLETED, MISSION_FAILED, TASK_COMPLETED, TASK_FAILED)
