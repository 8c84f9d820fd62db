"""Tables of the scheduler: schedules and runs."""

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
from biont.store.origin_field import OriginField


class RunStatus(StrEnum):
    """Status of an occurrence and of the run."""

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
    """Form of a timing: cron expression, interval, calendar interval, or one instant."""

    CRON = "cron"
    EVERY = "every"
    CALENDAR = "calendar"
    AT = "at"


class CatchUp(StrEnum):
    """Selection of the missed occurrences that are run after all."""

    LATEST = "latest"
    ALL = "all"
    NONE = "none"


class Overlap(StrEnum):
    """Treatment of an occurrence while an earlier run of the schedule is active."""

    SKIP = "skip"
    QUEUE = "queue"
    ALLOW = "allow"


class OnCrash(StrEnum):
    """Treatment of a run that the end of the process has interrupted."""

    RESUME = "resume"
    FAIL = "fail"


class RunTrigger(StrEnum):
    """Cause of a run."""

    SCHEDULE = "schedule"
    RUN_NOW = "run_now"
    RETRY = "retry"


class ScheduleState(StrEnum):
    """State of a schedule: will be due again, paused, or finished."""

    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"


class Schedule(OwnedTable):
    """Job with timing and run policy.

    `biont.scheduler.timing.Timing.of` reads the timing; call `plan_schedule` after a change of
    the timing.

    Attributes:
        kind: a `TimingKind`.
        expression: the expression of a ``cron``, or the interval of a ``calendar`` as JSON; empty
            otherwise.
        seconds: whether the expression has six fields, seconds first.
        every: the seconds between two occurrences of an ``every``, counted from `starts_at`, or
            else from `created_at`, like the intervals of a ``calendar``.
        at: the only occurrence of an ``at``.
        starts_at: no occurrence is before this instant.
        ends_at: no occurrence is after this instant.
        max_runs: the number of runs after which the schedule is finished; None for no limit.
            Skipped and missed occurrences and runs by hand do not count.
        run_count: the number of runs so far.
        jitter: the largest number of seconds added to each occurrence; always the same number
            for one schedule.
        catch_up: a `CatchUp`.
        catch_up_window: the largest age of a missed occurrence that is still run, in seconds;
            None for the setting.
        catch_up_limit: the largest number of missed occurrences that ``all`` runs; the latest
            are chosen.
        overlap: an `Overlap`.
        timeout: the seconds that a run may take; None for the setting.
        retry: a JSON list of the seconds before each retry of a failed run.
        daily_budget: the number of runs allowed on one day of the time zone; None for no limit.
        on_crash: an `OnCrash`.
        origin: ``file`` for a declared schedule, the owner's name for a schedule that a plugin
            has made for an own object (``reminder``), None otherwise.
        text_origin: the event by which text from outside came in that led to the schedule, if
            any.
        slug: the name of a declared schedule, unique for the user; None otherwise.
        next_fire_at: the next occurrence, with jitter; None for a paused or finished schedule.
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
    # Counted here, because a claim must not read all runs of its schedule.
    run_count = IntegerField(default=0)
    text_origin = OriginField()
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
    def has_had_its_runs(self) -> bool:
        """True after the last of `max_runs`."""
        return self.max_runs is not None and self.run_count >= self.max_runs

    @property
    def state(self) -> ScheduleState:
        """The state of the schedule."""
        if self.paused:
            return ScheduleState.PAUSED
        return ScheduleState.FINISHED if self.next_fire_at is None else ScheduleState.ACTIVE


class ScheduleRun(Table):
    """Due occurrence of a schedule, with the run if any.

    Attributes:
        scheduled_for: the occurrence, without jitter.
        due_at: the occurrence with jitter.
        status: a `RunStatus`; final once `ended_at` is set, unless a user retries the run.
        trigger: a `RunTrigger`.
        attempts: the number of starts.
        failures: the number of failed attempts; the other attempts were interrupted or are active.
        waits_until: the instant of the next retry.
        error: the error of the last failed attempt.
        reason: the reason why there was no run, as a sentence.
        result: the result of the job, as JSON.
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
        # Unique: whoever claims an occurrence, there is one row and so at most one run.
        indexes = ((("schedule", "scheduled_for"), True),)
