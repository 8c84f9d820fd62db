"""The scheduler: what is due when, and what became of it."""

from biont.scheduler.jobs import Finish, JobKind, Run
from biont.scheduler.scheduler import Scheduler
from biont.scheduler.tables import RunStatus, Schedule, ScheduleRun

__all__ = ["Finish", "JobKind", "Run", "RunStatus", "Schedule", "ScheduleRun", "Scheduler"]
