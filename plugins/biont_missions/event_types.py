"""Event types of missions and tasks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from biont import EventType, Schema


class MissionCreated(Schema):
    """A new mission."""

    mission_id: int
    goal: str


class MissionEnded(MissionCreated):
    """A mission that ended, with its cost and report."""

    note_id: int | None = Field(description="The note with the report; null without a report.")
    tokens: int = Field(description="Tokens that the mission used.")


class MissionCompleted(MissionEnded):
    """A mission that reached its goal."""

    status: Literal["completed"]


class MissionFailed(MissionEnded):
    """A mission that failed, with the reason."""

    status: Literal["failed"]
    error: str


class TaskCompleted(Schema):
    """A completed task."""

    task_id: int
    mission_id: int | None = Field(description="Null for a task without a mission.")
    title: str
    status: Literal["completed"]


class TaskFailed(Schema):
    """A failed task, with the reason."""

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
