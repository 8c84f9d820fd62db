"""The tables of the scheduler: what is due when, and what became of it."""

from __future__ import annotations

from enum import StrEnum

from peewee import AutoField, BooleanField, ForeignKeyField, IntegerField, TextField

from biont.ownership import OwnedTable
from biont.store import InstantField, Table


class RunStatus(StrEnum):
    """What became of a due instant."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    MISSED = "missed"
    COALESCED = "coalesced"
    SKIPPED_OVERLAP = "skipped_overlap"


class Schedule(OwnedTable):
    """A job and the expression that says when it is due."""

    name = TextField()
    job_kind = TextField()
    parameters = TextField()
    expression = TextField()
    time_zone = TextField()
    paused = BooleanField()
    next_fire_at = InstantField(null=True)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "schedules"


class ScheduleRun(Table):
    """One due instant of a schedule."""

    id = AutoField()
    schedule_id: int
    schedule = ForeignKeyField(Schedule, on_delete="CASCADE")
    scheduled_for = InstantField()
    status = TextField()
    attempts = IntegerField()
    claimed_at = InstantField()
    started_at = InstantField(null=True)
    ended_at = InstantField(null=True)
    error = TextField(null=True)
    result = TextField(null=True)

    class Meta:
        table_name = "schedule_runs"
        indexes = ((("schedule", "scheduled_for"), True),)
