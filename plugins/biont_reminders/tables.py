"""Table of reminders."""

from __future__ import annotations

from enum import StrEnum

from peewee import ForeignKeyField, TextField

from biont import InstantField, OwnedTable
from biont.scheduling import Schedule


class ReminderState(StrEnum):
    """State of a reminder.

    Waiting for its occurrence, triggered and not yet done, snoozed, or done for good.
    """

    WAITING = "waiting"
    TRIGGERED = "triggered"
    SNOOZED = "snoozed"
    DONE = "done"


class Reminder(OwnedTable):
    """Text with the schedules that emit the text.

    The state is not stored: it follows from the two schedules and the two instants.

    Attributes:
        schedule: the schedule of the reminder, used by no other.
        snooze: the one-time schedule of the last snooze, used by no other; None before the
            first snooze.
        text: the text.
        triggered_at: the instant of the last event.
        done_at: the instant at which the user last marked the reminder as done.
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
        """The state of the reminder."""
        if self.snooze is not None and self.snooze.next_fire_at is not None:
            return ReminderState.SNOOZED
        if self.triggered_at is not None and (
            self.done_at is None or self.done_at < self.triggered_at
        ):
            return ReminderState.TRIGGERED
        if self.schedule.next_fire_at is None and not self.schedule.paused:
            return ReminderState.DONE
        return ReminderState.WAITING
