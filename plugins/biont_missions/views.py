"""Schemas of missions and tasks, as REST clients send and receive them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import orjson
from pydantic import ConfigDict, Field

from biont import Schema
from biont_missions.plans import PlannedTask
from biont_missions.tables import Mission, MissionStatus, Task, TaskStatus

Goal = Annotated[str, Field(min_length=1, max_length=4000)]
Text = Annotated[str, Field(max_length=20_000)]
ToolName = Annotated[str, Field(min_length=1, max_length=64)]
MaxTokens = Annotated[int, Field(ge=1, le=1_000_000_000)]


class NewMission(Schema):
    """A mission to create: the goal, the tasks and the limits."""

    model_config = ConfigDict(extra="forbid")

    goal: Goal
    steps: Annotated[list[PlannedTask], Field(max_length=200)] = Field(
        default_factory=list, description="The tasks; the model plans the tasks if none are given."
    )
    tools: Annotated[list[ToolName], Field(max_length=100)] | None = Field(
        None, description="Tools that the tasks may call; null for the setting, `[]` for no tools."
    )
    model: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="The model; null for the default."
    )
    max_tokens: MaxTokens | None = Field(None, description="Token budget; null for the setting.")
    reviews: Annotated[int, Field(ge=0, le=10)] | None = Field(
        None, description="Largest number of reviews; null for the setting."
    )
    start: bool = Field(True, description="Start at once; false creates a draft for `run`.")


class Retry(Schema):
    """Options of a retry."""

    model_config = ConfigDict(extra="forbid")

    max_tokens: MaxTokens | None = Field(
        None, description="New token budget, tokens used so far included; null keeps the budget."
    )


class TaskView(Schema):
    """A task."""

    id: int
    mission_id: int | None
    position: int = Field(
        description="Number of the task in its mission, from 1; 0 without a mission."
    )
    title: str
    instructions: str
    depends_on: list[int] = Field(
        description="Positions of the earlier tasks whose results are needed."
    )
    status: TaskStatus = Field(description="`waiting` means that a tool call needs your approval.")
    result: str | None
    error: str | None
    tokens: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class MissionView(Schema):
    """A mission."""

    id: int
    goal: str
    status: MissionStatus
    model: str | None
    tools: list[str]
    max_tokens: int
    tokens: int = Field(description="Tokens used so far.")
    max_reviews: int
    reviews: int
    error: str | None
    note_id: int | None = Field(description="The note with the report.")
    origin: str | None = Field(
        description="Event by which text of another system came in that the mission has read; "
        "null for none."
    )
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None


class MissionDetail(MissionView):
    """A mission with its tasks."""

    tasks: list[TaskView]
    cost: float | None = Field(
        description="Cost of the calls of models so far, by the prices in the settings; null if "
        "no recorded call has a price."
    )


class NewTask(Schema):
    """A task for a person to create."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=200)]
    instructions: Text = ""


class TaskResult(Schema):
    """The result of a person's task."""

    model_config = ConfigDict(extra="forbid")

    result: Text = ""


def make_task_view(task: Task) -> TaskView:
    """Return the REST view of a task."""
    return TaskView(
        id=task.id,
        mission_id=task.mission_id,
        position=task.position,
        title=task.title,
        instructions=task.instructions,
        depends_on=orjson.loads(task.depends_on),
        status=TaskStatus(task.status),
        result=task.result,
        error=task.error,
        tokens=task.tokens,
        created_at=task.created_at,
        started_at=task.started_at,
        ended_at=task.ended_at,
    )


def make_mission_view(mission: Mission) -> MissionView:
    """Return the REST view of a mission."""
    return MissionView(
        id=mission.id,
        goal=mission.goal,
        status=MissionStatus(mission.status),
        model=mission.model,
        tools=orjson.loads(mission.tools),
        max_tokens=mission.max_tokens,
        tokens=mission.tokens,
        max_reviews=mission.max_reviews,
        reviews=mission.reviews,
        error=mission.error,
        note_id=mission.note_id,
        origin=mission.origin,
        created_at=mission.created_at,
        updated_at=mission.updated_at,
        ended_at=mission.ended_at,
    )


def make_mission_detail(
    mission: Mission, tasks: Sequence[Task], cost: float | None
) -> MissionDetail:
    """Return the REST view of a mission, its tasks and its cost."""
    view = make_mission_view(mission).model_dump()
    return MissionDetail(**view, tasks=[make_task_view(task) for task in tasks], cost=cost)
