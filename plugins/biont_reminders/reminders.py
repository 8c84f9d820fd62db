"""Operations on reminders: create, change, snooze, finish, delete, list. For the store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from peewee import JOIN

from biont.exceptions import Conflict, InputProblem, InvalidInput
from biont.scheduling import Schedule, TimingKind
from biont.store import Span, dump_json
from biont_reminders.job import REMINDER
from biont_reminders.tables import Reminder, ReminderState
from biont_schedules import TimingChange, apply_change, insert_schedule, list_changes

ORIGIN = "reminder"
"""The `Schedule.origin` of a reminder's schedules."""

_CATCH_UP_WINDOW = 7 * 86400.0
"""The seconds during which a reminder that was due while the workbench was down still returns."""


def create_reminder(
    user_id: int, now: datetime, text: str, columns: Mapping[str, object]
) -> Reminder:
    """Create a reminder with a schedule.

    Args:
        user_id: the owner.
        now: the present instant.
        text: the text.
        columns: the timing, as columns of a schedule with its `time_zone`.

    Raises:
        InvalidInput: the reminder would never be due.
    """
    schedule = insert_schedule(user_id, {**columns, **_make_job_columns(text)}, now)
    return Reminder.create(
        user=user_id, schedule=schedule, text=text, created_at=now, updated_at=now
    )


def change_reminder(
    user_id: int,
    now: datetime,
    reminder_id: int,
    text: str | None,
    change: TimingChange,
    default_zone: str,
) -> Reminder:
    """Change the text, the timing, or both.

    Args:
        user_id: the owner.
        now: the present instant.
        reminder_id: the id of the reminder.
        text: the new text; None to keep the text.
        change: the patch of the timing.
        default_zone: the zone when the patch clears `time_zone`.

    Raises:
        NotFound: no such reminder, or another user's.
        InvalidInput: the timing is not valid.
    """
    reminder = Reminder.get_owned(user_id, reminder_id)
    columns = list_changes(reminder.schedule, change, default_zone)
    if columns:
        # With a new timing the reminder waits again, even if it was triggered and not done.
        reminder.triggered_at = None
    if text is not None:
        reminder.text = text
        columns = {**columns, **_make_job_columns(text)}
        if reminder.snooze is not None:
            # A pending snooze must not emit the old text.
            apply_change(reminder.snooze, _make_job_columns(text), now)
    if not columns:
        return reminder
    apply_change(reminder.schedule, columns, now)
    reminder.updated_at = now
    reminder.save()
    return reminder


def snooze_reminder(user_id: int, now: datetime, reminder_id: int, until: datetime) -> Reminder:
    """Trigger a reminder once more at `until`, beside its own schedule.

    Raises:
        NotFound: no such reminder, or another user's.
        InvalidInput: `until` has passed.
    """
    reminder = Reminder.get_owned(user_id, reminder_id)
    if until <= now:
        raise InvalidInput(InputProblem("must lie in the future", "#/until"))
    columns = {
        "kind": TimingKind.AT,
        "at": until,
        "time_zone": reminder.schedule.time_zone,
        **_make_job_columns(reminder.text),
    }
    if reminder.snooze is None:
        reminder.snooze = insert_schedule(user_id, columns, now)
    else:
        apply_change(reminder.snooze, columns, now)
    reminder.updated_at = now
    reminder.save()
    return reminder


def finish_reminder(user_id: int, now: datetime, reminder_id: int) -> Reminder:
    """Mark a reminder as done; a recurring reminder waits for its next occurrence.

    Raises:
        NotFound: no such reminder, or another user's.
        Conflict: the reminder recurs and was not triggered since the last `done`.
    """
    reminder = Reminder.get_owned(user_id, reminder_id)
    recurs = reminder.schedule.kind != TimingKind.AT
    if recurs and reminder.state is ReminderState.WAITING:
        raise Conflict(
            f"reminder {reminder_id} was not triggered since it was done; delete it to end it"
        )
    if reminder.snooze is not None:
        _end_schedule(reminder.snooze, now)
    if not recurs:
        _end_schedule(reminder.schedule, now)
    reminder.done_at = reminder.updated_at = now
    reminder.save()
    return reminder


def delete_reminder(user_id: int, reminder_id: int) -> None:
    """Delete a reminder with its schedules and runs; its events stay.

    Raises:
        NotFound: no such reminder, or another user's.
    """
    reminder = Reminder.get_owned(user_id, reminder_id)
    if reminder.snooze is not None:
        reminder.snooze.delete_instance()
    reminder.schedule.delete_instance()


def select_reminders(user_id: int, limit: int, span: Span) -> list[Reminder]:
    """Return a page of a user's reminders and a further row, in the order of the span."""
    snooze = Schedule.alias()
    query = (
        Reminder.select(Reminder, Schedule, snooze)
        .join(Schedule, on=Reminder.schedule)
        .switch(Reminder)
        .join(snooze, JOIN.LEFT_OUTER, on=Reminder.snooze)
        .where(Reminder.user == user_id)
    )
    return span.read(query, limit, key=Reminder.id, time=Reminder.created_at)


def _make_job_columns(text: str) -> dict[str, object]:
    return {
        "name": text[:80],
        "job_kind": REMINDER.name,
        "parameters": dump_json({"text": text}),
        "catch_up_window": _CATCH_UP_WINDOW,
        "origin": ORIGIN,
    }


def _end_schedule(schedule: Schedule, now: datetime) -> None:
    schedule.next_fire_at = None
    schedule.updated_at = now
    schedule.save()
