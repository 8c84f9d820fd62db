"""The tables of the scheduler: what is due when, and what became of it."""

from __future__ import annotations

from enum import StrEnum

from peewee import AutoField, BooleanField, ForeignKeyField, IntegerField, ModelSelect, TextField
from playhouse.postgres_ext import DateTimeTZField

from biont.keys import User
from biont.store import Table


class RunStatus(StrEnum):
    """What became of a due instant."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    MISSED = "missed"
    COALESCED = "coalesced"
    SKIPPED_OVERLAP = "skipped_overlap"


class Schedule(Table):
    """A job and the expression that says when it is due."""

    id = AutoField()
    user_id: int
    user = ForeignKeyField(User, on_delete="CASCADE")
    name = TextField()
    job_kind = TextField()
    parameters = TextField()
    expression = TextField()
    time_zone = TextField()
    paused = BooleanField()
    next_fire_at = DateTimeTZField(null=True)
    created_at = DateTimeTZField()
    updated_at = DateTimeTZField()

    class Meta:
        table_name = "schedules"

    @classmethod
    def of_user(cls, user_id: int) -> ModelSelect[Schedule]:
        """Return the query from which everything a user may see starts."""
        return cls.select().where(cls.user == user_id)


class ScheduleRun(Table):
    """One due instant of a schedule."""

    id = AutoField()
    schedule_id: int
    schedule = ForeignKeyField(Schedule, on_delete="CASCADE")
    scheduled_for = DateTimeTZField()
    status = TextField()
    attempts = IntegerField()
    claimed_at = DateTimeTZField()
    started_at = DateTimeTZField(null=True)
    ended_at = DateTimeTZField(null=True)
    error = TextField(null=True)
    result = TextField(null=True)

    class Meta:
        table_name = "schedule_runs"
        indexes = ((("schedule", "scheduled_for"), True),)
