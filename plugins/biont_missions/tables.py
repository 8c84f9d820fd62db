"""Where missions and tasks are kept."""

from __future__ import annotations

from enum import StrEnum

from peewee import ForeignKeyField, IntegerField, TextField

from biont import InstantField, OwnedTable


class MissionStatus(StrEnum):
    """What a mission is at."""

    DRAFT = "draft"
    PLANNING = "planning"
    WORKING = "working"
    REVIEWING = "reviewing"
    REPORTING = "reporting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ERROR_LIMIT = 2000
"""How many characters are kept of why something failed."""

ENDED = frozenset({MissionStatus.COMPLETED, MissionStatus.FAILED, MissionStatus.CANCELLED})


class TaskStatus(StrEnum):
    """What becomes of a task."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Mission(OwnedTable):
    """A goal that the AI pursues.

    Attributes:
        key_id: the API key that has set it, if one did: it counts against its budget.
        schedule_id: the schedule that has set it, if one did: likewise.
        status: a `MissionStatus`.
        model: who is asked, as `biont.ChatRequest` says it; None for the default.
        tools: a JSON list of the tools that its tasks may call, by name; it never grows.
        max_tokens: what it may cost, and `tokens`, what it has cost.
        max_reviews: how often it is reviewed at most, and `reviews`, how often it was.
        error: why it failed, or while it is reported, why it is going to fail.
        note_id: the report.
        ended_at: when it was completed, failed or cancelled.
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
    created_at = InstantField()
    updated_at = InstantField()
    ended_at = InstantField(null=True)

    class Meta:
        table_name = "missions"


class Task(OwnedTable):
    """A step of a mission, or something that a person has to do.

    Attributes:
        mission: whose step it is; None for a task of its own.
        position: its place in the mission, from 1 on; 0 for a task of its own.
        depends_on: a JSON list of the positions of tasks that come before it.
        status: a `TaskStatus`; ``waiting`` is for an approval.
        result: what came of it.
        agent_run_id: what the AI has said and done for it.
        tokens: what that has cost.
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
    created_at = InstantField()
    started_at = InstantField(null=True)
    ended_at = InstantField(null=True)

    class Meta:
        table_name = "tasks"
