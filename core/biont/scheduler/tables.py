"""The tables of the scheduler: what is due when, and what became of it."""

from __future__ import annotations

from enum import StrEnum

from peewee import (
    AutoField,
    BooleanField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from biont.accounts.owned_table import OwnedTable
from biont.store.database import InstantField, Table


class RunStatus(StrEnum):
    """What became of a due instant."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LATE = "late"
    MISSED = "missed"
    COALESCED = "coalesced"
    SKIPPED_OVERLAP = "skipped_overlap"
    SKIPPED_BUDGET = "skipped_budget"
    CANCELLED = "cancelled"


class TimingKind(StrEnum):
    """By what a schedule is due."""

    CRON = "cron"
    EVERY = "every"
    AT = "at"


class CatchUp(StrEnum):
    """Which of several instants that passed while nothing could run are run after all."""

    LATEST = "latest"
    ALL = "all"
    NONE = "none"


class Overlap(StrEnum):
    """What a due instant does while an earlier run of its schedule still goes on."""

    SKIP = "skip"
    QUEUE = "queue"
    ALLOW = "allow"


class OnCrash(StrEnum):
    """What becomes of a run in the middle of which the process died."""

    RESUME = "resume"
    FAIL = "fail"


class RunTrigger(StrEnum):
    """What made a run."""

    SCHEDULE = "schedule"
    RUN_NOW = "run_now"
    RETRY = "retry"


class ScheduleState(StrEnum):
    """Whether a schedule will be due again."""

    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"


class Schedule(OwnedTable):
    """A job, when it is due, and what to do when that does not go smoothly.

    What decides when it is due is read by `biont.scheduler.timing.Timing.of`; after a
    change of it, `plan_schedule` it anew.

    Attributes:
        kind: a `TimingKind`.
        expression: of a ``cron``; empty otherwise.
        seconds: whether the expression has six fields, seconds first.
        every: of an ``every``: the seconds between two instants, counted from
            `starts_at`, or else from `created_at`.
        at: of an ``at``: its only instant.
        starts_at: nothing is due before it.
        ends_at: nothing is due after it.
        max_runs: after so many runs it is finished; None for no limit. What was skipped
            or missed, and what was run by hand, does not count.
        run_count: how many of them there have been.
        jitter: up to so many seconds, always the same for one schedule, are added to
            each instant.
        catch_up: a `CatchUp`.
        catch_up_window: how old a missed instant may be and still be run, in seconds;
            None for the setting.
        catch_up_limit: how many of them ``all`` runs at most, the latest ones.
        overlap: an `Overlap`.
        timeout: how long a run may take, in seconds; None for the setting.
        retry: a JSON list of the seconds before each new try of a run that failed.
        daily_budget: how many runs a day of its time zone may have; None for no limit.
        on_crash: an `OnCrash`.
        origin: ``file`` when it is declared in one, what it belongs to when a plugin made
            it for something of its own (``reminder``), and None otherwise.
        slug: by what name it is declared, unique for its user; None when it is not.
        next_fire_at: when it is due next, with its jitter; None while it is paused and
            when it is finished.
    """

    name = TextField()
    job_kind = TextField()
    parameters = TextField()
    kind = TextField(default=TimingKind.CRON)
    expression = TextField(default="")
    seconds = BooleanField(default=False)
    every = IntegerField(null=True)
    at = InstantField(null=True)
    time_zone = TextField()
    starts_at = InstantField(null=True)
    ends_at = InstantField(null=True)
    max_runs = IntegerField(null=True)
    run_count = IntegerField(default=0)
    jitter = IntegerField(default=0)
    catch_up = TextField(default=CatchUp.LATEST)
    catch_up_window = FloatField(null=True)
    catch_up_limit = IntegerField(default=100)
    overlap = TextField(default=Overlap.SKIP)
    timeout = FloatField(null=True)
    retry = TextField(default="[]")
    daily_budget = IntegerField(null=True)
    on_crash = TextField(default=OnCrash.RESUME)
    origin = TextField(null=True)
    slug = TextField(null=True)
    paused = BooleanField(default=False)
    next_fire_at = InstantField(null=True)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "schedules"

    @property
    def state(self) -> ScheduleState:
        """Whether it will be due again."""
        if self.paused:
            return ScheduleState.PAUSED
        return ScheduleState.FINISHED if self.next_fire_at is None else ScheduleState.ACTIVE


class ScheduleRun(Table):
    """One due instant of a schedule.

    Attributes:
        scheduled_for: the instant by the schedule, without jitter.
        due_at: the same with jitter.
        status: a `RunStatus`; once `ended_at` is there it does not change, unless the
            run is tried again by hand.
        trigger: a `RunTrigger`.
        attempts: how often it was started.
        failures: how many of them failed; the others were interrupted, or go on.
        waits_until: when it is tried again after a failure.
        error: why it failed, or why its last attempt did.
        reason: why it was not run, in a sentence.
        result: what the job returned, as JSON.
    """

    id = AutoField()
    schedule_id: int
    schedule = ForeignKeyField(Schedule, on_delete="CASCADE")
    scheduled_for = InstantField()
    due_at = InstantField()
    status = TextField()
    trigger = TextField(default=RunTrigger.SCHEDULE)
    attempts = IntegerField(default=0)
    failures = IntegerField(default=0)
    claimed_at = InstantField()
    waits_until = InstantField(null=True)
    started_at = InstantField(null=True)
    ended_at = InstantField(null=True)
    error = TextField(null=True)
    reason = TextField(null=True)
    result = TextField(null=True)

    class Meta:
        table_name = "schedule_runs"
        indexes = ((("schedule", "scheduled_for"), True),)
