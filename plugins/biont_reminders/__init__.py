"""Reminders: texts that return as events when they are due."""

from biont_reminders.reminders import create_reminder
from biont_reminders.tables import Reminder

__all__ = ["Reminder", "create_reminder"]
