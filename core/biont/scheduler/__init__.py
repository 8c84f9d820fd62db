"""The scheduler: what is due when, and what became of it."""

from biont.scheduler.commands import cancel_run, get_run, retry_run, run_now
from biont.scheduler.due import plan_schedule
from biont.scheduler.jobs import Finish, JobKind, Run
from biont.scheduler.scheduler import Scheduler
from biont.scheduler.simulation import Downtime, SimulatedRun, simulate
from biont.scheduler.tables import (
    CatchUp,
    OnCrash,
    Overlap,
    RunStatus,
    Schedule,
    ScheduleRun,
    ScheduleState,
    TimingKind,
    Trigger,
)
from biont.scheduler.timing import Preview, Timing, WallTime

__all__ = [
    "CatchUp",
    "Downtime",
    "Finish",
    "JobKind",
    "OnCrash",
    "Overlap",
    "Preview",
    "Run",
    "RunStatus",
    "Schedule",
    "ScheduleRun",
    "ScheduleState",
    "Scheduler",
    "SimulatedRun",
    "Timing",
    "TimingKind",
    "Trigger",
    "WallTime",
    "cancel_run",
    "get_run",
    "plan_schedule",
    "retry_run",
    "run_now",
    "simulate",
]
