"""Schedules: prompts and other jobs that run when due.

The names below are for plugins that offer an own API for a job kind, as reminders do.
"""

from biont_schedules.changes import list_changes
from biont_schedules.fields import DueInstant, Duration
from biont_schedules.schedules import apply_change, insert_schedule
from biont_schedules.timing import (
    CHOICES,
    TimingChange,
    When,
    describe_timing,
    list_all_columns,
    read_cron,
    read_every,
)
from biont_schedules.tool_limits import limit_timing

__all__ = [
    "CHOICES",
    "DueInstant",
    "Duration",
    "TimingChange",
    "When",
    "apply_change",
    "describe_timing",
    "insert_schedule",
    "limit_timing",
    "list_all_columns",
    "list_changes",
    "read_cron",
    "read_every",
]
