"""What REST clients send and see of missions and tasks."""

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
    """A goal, and within which limits it is pursued."""

    model_config = ConfigDict(extra="forbid")

    goal: Goal
    steps: Annotated[list[PlannedTask], Field(max_length=200)] = Field(
        default_factory=list, description="Its tasks; the model plans them when there are none."
    )
    tools: Annotated[list[ToolName], Field(max_length=100)] | None = Field(
        None, description="What its tasks may call; null for the setting, `[]` for nothing."
    )
    model: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="Who is asked; null for the default."
    )
    max_tokens: MaxTokens | None = Field(
        None, description="What it may cost; null for the setting."
    )
    reviews: Annotated[int, Field(ge=0, le=10)] | None = Field(
        None, description="How often it is reviewed at most; null for the setting."
    )
    start: bool = Field(True, description="Whether it begins at once; `run` begins it later.")


class Retry(Schema):
    """On which terms a mission goes on."""

    model_config = ConfigDict(extra="forbid")

    max_tokens: MaxTokens | None = Field(
        None, description="What it may cost from its very beginning; null for as before."
    )


class TaskView(Schema):
    """A task as it is kept."""

    id: int
    mission_id: int | None
    position: int = Field(description="Its place in the mission; 0 for a task of its own.")
    title: str
    instructions: str
    depends_on: list[int] = Field(description="The positions of tasks that come before it.")
    status: TaskStatus = Field(description="`waiting` is for your approval of a tool call.")
    result: str | None
    error: str | None
    tokens: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class MissionView(Schema):
    """A mission as it is kept."""

    id: int
    goal: str
    status: MissionStatus
    model: str | None
    tools: list[str]
    max_tokens: int
    tokens: int = Field(description="What it has cost so far.")
    max_reviews: int
    reviews: int
    error: str | None
    note_id: int | None = Field(description="The report.")
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None


class MissionDetail(MissionView):
    """A mission with its tasks."""

    tasks: list[TaskView]


class NewTask(Schema):
    """Something that a person has to do."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=200)]
    instructions: Text = ""


class TaskResult(Schema):
    """What a person has done."""

    model_config = ConfigDict(extra="forbid")

    result: Text = ""


def show_task(task: Task) -> TaskView:
    """Return a task as its user sees it."""
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


def show_mission(mission: Mission) -> MissionView:
    """Return a mission as its user sees it."""
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
        created_at=mission.created_at,
        updated_at=mission.updated_at,
        ended_at=mission.ended_at,
    )


def show_with_tasks(mission: Mission, tasks: Sequence[Task]) -> MissionDetail:
    """Return a mission with its tasks as its user sees it."""
    shown = show_mission(mission).model_dump()
    return MissionDetail(**shown, tasks=[show_task(task) for task in tasks])
