"""Schedules: run a prompt, or another job, when it is due.

A plugin whose jobs have a face of their own builds it on these.
"""

from biont_schedules.schedules import apply_change, insert_schedule
from biont_schedules.timing import DueInstant, Duration, When, list_all_columns

__all__ = ["DueInstant", "Duration", "When", "apply_change", "insert_schedule", "list_all_columns"]
