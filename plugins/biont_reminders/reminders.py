"""What is done with reminders, inside a store function."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson
from peewee import JOIN

from biont.exceptions import Conflict, InputProblem, InvalidInput
from biont.scheduling import Schedule, TimingKind
from biont_reminders.job import REMINDER
from biont_reminders.tables import Reminder, ReminderState
from biont_schedules import apply_change, insert_schedule

ORIGIN = "reminder"
"""The `Schedule.origin` of what belongs to a reminder."""

_PATIENCE = 7 * 86400.0
"""For so many seconds a reminder that was due while nothing ran still comes."""


def create_reminder(
    user_id: int, now: datetime, text: str, columns: Mapping[str, object]
) -> Reminder:
    """Keep a reminder.

    Args:
        tx: the write that it is part of.
        user_id: whose it is.
        now: the present instant.
        text: what to be reminded of.
        columns: when it is due, as columns of a schedule with its `time_zone`.

    Raises:
        InvalidInput: it would never be due.
    """
    schedule = insert_schedule(user_id, {**columns, **_make_columns(text)}, now)
    return Reminder.create(
        user=user_id, schedule=schedule, text=text, created_at=now, updated_at=now
    )


def change_reminder(
    user_id: int,
    now: datetime,
    reminder_id: int,
    text: str | None,
    columns: Mapping[str, object],
) -> Reminder:
    """Change its text, when it is due, or both.

    Raises:
        NotFound: there is no such reminder, or it is somebody else's.
        InvalidInput: when it would be due does not fit together.
    """
    reminder = Reminder.get_owned(user_id, reminder_id)
    if columns:
        reminder.triggered_at = None
    if text is not None:
        reminder.text = text
        columns = {**columns, **_make_columns(text)}
        if reminder.snooze is not None:
            apply_change(reminder.snooze, _make_columns(text), now)
    apply_change(reminder.schedule, columns, now)
    reminder.updated_at = now
    reminder.save()
    return reminder


def snooze_reminder(user_id: int, now: datetime, reminder_id: int, until: datetime) -> Reminder:
    """Let a reminder come back once more, beside when it is due anyway.

    Raises:
        NotFound: there is no such reminder, or it is somebody else's.
        InvalidInput: `until` has passed.
    """
    reminder = Reminder.get_owned(user_id, reminder_id)
    if until <= now:
        raise InvalidInput(InputProblem("must lie in the future", "#/until"))
    columns = {
        "kind": TimingKind.AT,
        "at": until,
        "time_zone": reminder.schedule.time_zone,
        **_make_columns(reminder.text),
    }
    if reminder.snooze is None:
        reminder.snooze = insert_schedule(user_id, columns, now)
    else:
        apply_change(reminder.snooze, columns, now)
    reminder.updated_at = now
    reminder.save()
    return reminder


def finish_reminder(user_id: int, now: datetime, reminder_id: int) -> Reminder:
    """Note that what a reminder is for is done; one that recurs waits for its next time.

    Raises:
        NotFound: there is no such reminder, or it is somebody else's.
        Conflict: it recurs, and nothing of it is left to be done before its next time.
    """
    reminder = Reminder.get_owned(user_id, reminder_id)
    recurs = reminder.schedule.kind != TimingKind.AT
    if recurs and reminder.state is ReminderState.WAITING:
        raise Conflict(
            f"reminder {reminder_id} has not come since it was done; delete it to end it"
        )
    if reminder.snooze is not None:
        _silence(reminder.snooze, now)
    if not recurs:
        _silence(reminder.schedule, now)
    reminder.done_at = reminder.updated_at = now
    reminder.save()
    return reminder


def delete_reminder(user_id: int, reminder_id: int) -> None:
    """Delete a reminder with the record of its runs; its events stay.

    Raises:
        NotFound: there is no such reminder, or it is somebody else's.
    """
    reminder = Reminder.get_owned(user_id, reminder_id)
    if reminder.snooze is not None:
        reminder.snooze.delete_instance()
    reminder.schedule.delete_instance()


def select_reminders(user_id: int, limit: int, before: int | None) -> list[Reminder]:
    """Return a page of a user's reminders and one more, the newest first."""
    snooze = Schedule.alias()
    query = (
        Reminder.select(Reminder, Schedule, snooze)
        .join(Schedule, on=Reminder.schedule)
        .switch(Reminder)
        .join(snooze, JOIN.LEFT_OUTER, on=Reminder.snooze)
        .where(Reminder.user == user_id)
    )
    if before is not None:
        query = query.where(Reminder.id < before)
    return list(query.order_by(Reminder.id.desc()).limit(limit + 1))


def _make_columns(text: str) -> dict[str, object]:
    return {
        "name": text[:80],
        "job_kind": REMINDER.name,
        "parameters": orjson.dumps({"text": text}).decode(),
        "catch_up_window": _PATIENCE,
        "origin": ORIGIN,
    }


def _silence(schedule: Schedule, now: datetime) -> None:
    schedule.next_fire_at = None
    schedule.updated_at = now
    schedule.save()
