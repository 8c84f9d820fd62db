"""Tables of missions and tasks."""

from __future__ import annotations

from enum import StrEnum

from peewee import ForeignKeyField, IntegerField, TextField

from biont import InstantField, OwnedTable
from biont.store import OriginField


class MissionStatus(StrEnum):
    """State of a mission; see `biont_missions.runner`."""

    DRAFT = "draft"
    PLANNING = "planning"
    WORKING = "working"
    REVIEWING = "reviewing"
    REPORTING = "reporting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ERROR_LIMIT = 2000
"""Largest number of characters of an error in these tables."""

ENDED = frozenset({MissionStatus.COMPLETED, MissionStatus.FAILED, MissionStatus.CANCELLED})


class TaskStatus(StrEnum):
    """State of a task; see `biont_missions.task_runner`."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Mission(OwnedTable):
    """A goal that the AI pursues.

    Attributes:
        key_id: the API key that created the mission, whose budget pays; None without a key.
        schedule_id: the schedule that created the mission, likewise.
        status: a `MissionStatus`.
        model: the model, as in `biont.llm.ChatRequest`; None for the default.
        tools: a JSON list of the names of the tools that the tasks may call; never grows.
        max_tokens: the token budget; `tokens` is the number of tokens used.
        max_reviews: the largest number of reviews; `reviews` is the number so far.
        error: the reason of the failure; while ``reporting``, the reason of the failure that
            follows the report.
        note_id: the note with the report.
        origin: the event by which text from outside came in that the goal or a task has read,
            if any.
        ended_at: the instant of completion, failure or cancellation.
    """

    goal = TextField()
    key_id = IntegerField(null=True)
    schedule_id = IntegerField(null=True)
    status = TextField()
    model = TextField(null=True)
    tools = TextField()
    max_tokens = IntegerField()
    tokens = IntegerField(default=0)
    max_reviews = IntegerField()
    reviews = IntegerField(default=0)
    error = TextField(null=True)
    note_id = IntegerField(null=True)
    origin = OriginField()
    created_at = InstantField()
    updated_at = InstantField()
    ended_at = InstantField(null=True)

    class Meta:
        table_name = "missions"


class Task(OwnedTable):
    """A task of a mission, or a task that a person completes.

    Attributes:
        mission: the mission; None for a task without a mission.
        position: the number of the task in the mission, from 1; 0 without a mission.
        depends_on: a JSON list of the positions of earlier tasks whose results are needed.
        status: a `TaskStatus`; ``waiting`` means for an approval.
        result: the answer of the model or the person.
        agent_run_id: the agent run of the task; None before the first start.
        tokens: the number of tokens that the agent run used.
        origin: the event by which text from outside came in that led to the task, if any.
    """

    mission_id: int | None
    mission = ForeignKeyField(Mission, on_delete="CASCADE", null=True)
    position = IntegerField(default=0)
    title = TextField()
    instructions = TextField(default="")
    depends_on = TextField(default="[]")
    status = TextField(default=TaskStatus.PENDING)
    result = TextField(null=True)
    error = TextField(null=True)
    tokens = IntegerField(default=0)
    agent_run_id = IntegerField(null=True)
    origin = OriginField()
    created_at = InstantField()
    started_at = InstantField(null=True)
    ended_at = InstantField(null=True)

    class Meta:
        table_name = "tasks"
