"""Where reminders are kept."""

from __future__ import annotations

from enum import StrEnum

from peewee import ForeignKeyField, TextField

from biont import InstantField, OwnedTable
from biont.scheduling import Schedule


class ReminderState(StrEnum):
    """How things stand with a reminder."""

    WAITING = "waiting"
    TRIGGERED = "triggered"
    SNOOZED = "snoozed"
    DONE = "done"


class Reminder(OwnedTable):
    """A text that comes back when it is due.

    Attributes:
        schedule: when it is due; it belongs to the reminder alone.
        snooze: when it comes back besides, once it was snoozed; likewise.
        text: what to be reminded of.
        triggered_at: when it came back last.
        done_at: when its user last said that it is done.
    """

    schedule_id: int
    schedule = ForeignKeyField(Schedule, on_delete="CASCADE", unique=True)
    snooze_id: int | None
    snooze = ForeignKeyField(Schedule, on_delete="SET NULL", unique=True, null=True)
    text = TextField()
    triggered_at = InstantField(null=True)
    done_at = InstantField(null=True)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "reminders"

    @property
    def state(self) -> ReminderState:
        """How things stand with it."""
        if self.snooze is not None and self.snooze.next_fire_at is not None:
            return ReminderState.SNOOZED
        if self.triggered_at is not None and (
            self.done_at is None or self.done_at < self.triggered_at
        ):
            return ReminderState.TRIGGERED
        if self.schedule.next_fire_at is None and not self.schedule.paused:
            return ReminderState.DONE
        return ReminderState.WAITING
