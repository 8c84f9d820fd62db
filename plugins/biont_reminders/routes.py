"""REST routes of reminders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Concatenate, ParamSpec

from pydantic import ConfigDict, Field

from biont import Api, Page, Request, RowId, Schema
from biont.exceptions import InputProblem, InvalidInput
from biont.http import ListQuery, exactly_one_of, make_page
from biont.scheduling import CalendarInterval, TimingKind
from biont_reminders.job import Text
from biont_reminders.reminders import (
    change_reminder,
    create_reminder,
    delete_reminder,
    finish_reminder,
    select_reminders,
    snooze_reminder,
)
from biont_reminders.tables import Reminder, ReminderState
from biont_schedules import (
    CHOICES,
    DueInstant,
    Duration,
    TimingChange,
    When,
    describe_timing,
    list_all_columns,
    read_cron,
    read_every,
)

P = ParamSpec("P")

api = Api("reminders", description="Reminders, which come once or again and again.")


class NewReminder(When):
    """Text and timing of a new reminder."""

    model_config = ConfigDict(json_schema_extra=exactly_one_of(*CHOICES))

    text: Text


class ReminderChange(TimingChange):
    """Fields to change, as a JSON merge patch (RFC 7396)."""

    text: Text = ""


class Snooze(Schema):
    """Time until a snoozed reminder returns; ten minutes by default."""

    model_config = ConfigDict(extra="forbid")

    after: Duration | None = Field(None, description="Seconds from now, or `1h`.")
    until: DueInstant | None = Field(None, description="Instant of the return.")

    def find_instant(self, now: datetime) -> datetime:
        """Return the instant at which the reminder returns.

        Raises:
            InvalidInput: both `after` and `until` are given.
        """
        if self.until is None:
            return now + timedelta(seconds=600 if self.after is None else self.after)
        if self.after is not None:
            raise InvalidInput(InputProblem("give one of after and until", "#/until"))
        return self.until


class ReminderView(Schema):
    """Stored reminder."""

    state_fields = frozenset({"state", "next_at", "triggered_at", "done_at", "updated_at"})

    id: int
    text: str
    state: ReminderState = Field(
        description="`waiting`, `triggered` and not yet done, `snoozed`, or `done` for good."
    )
    schedule_id: int
    kind: TimingKind
    words: str = Field(
        description="Timing in words and in local time: `At 09:00, Monday to Friday`."
    )
    cron: str | None
    every: int | CalendarInterval | None
    at: datetime | None
    time_zone: str
    next_at: datetime | None = Field(description="Next occurrence, in UTC.")
    triggered_at: datetime | None = Field(description="Instant of the last event.")
    done_at: datetime | None
    created_at: datetime
    updated_at: datetime


def _find_reminder(request: Request, reminder_id: RowId) -> ReminderView:
    return _make_reminder_view(Reminder.get_owned(request.user_id, reminder_id))


@api.post(
    "/reminders",
    narrowable=False,
    quota="schedules",
    location="/reminders/{id}",
    operation="create_reminder",
    example={"text": "Drink tea", "cron": "0 16 * * 1-5", "time_zone": "Europe/Berlin"},
)
async def create(request: Request, body: NewReminder) -> ReminderView:
    """Create a reminder; `reminder_triggered` is emitted when the reminder is due.

    Give exactly one of `cron`, `every` and `at`.
    """
    columns = await list_all_columns(body, request.workbench, request.user_id)
    return await _write_reminder(request, create_reminder, body.text, columns)


@api.get("/reminders")
async def list_reminders(
    request: Request,
    query: ListQuery,
) -> Page[ReminderView]:
    """List your reminders, the newest first.

    `state` tells whether a reminder waits, was triggered, is snoozed or is done.
    """
    rows = await request.workbench.store.read(
        select_reminders, request.user_id, query.limit, query.span
    )
    return make_page(rows, query.limit, lambda reminder: reminder.id, _make_reminder_view)


@api.get("/reminders/{reminder_id}")
async def read_reminder(request: Request, reminder_id: RowId) -> ReminderView:
    """Get a reminder.

    The status is 404 for a reminder of another user.
    """
    return await request.workbench.store.read(_find_reminder, request, reminder_id)


@api.patch(
    "/reminders/{reminder_id}",
    narrowable=False,
    operation="change_reminder",
    example={"text": "Drink coffee"},
    present=_find_reminder,
)
async def change(request: Request, reminder_id: RowId, body: ReminderChange) -> ReminderView:
    """Change the text of a reminder, the timing, or both, by a merge patch.

    Fields that are left out do not change.
    """
    zone = await request.workbench.find_time_zone(request.user_id)
    text = body.text if "text" in body.model_fields_set else None
    return await _write_reminder(request, change_reminder, reminder_id, text, body, zone)


@api.post(
    "/reminders/{reminder_id}/snooze",
    narrowable=False,
    status=200,
    operation="snooze_reminder",
    example={"after": "10m"},
)
async def snooze(request: Request, reminder_id: RowId, body: Snooze | None = None) -> ReminderView:
    """Snooze a reminder: `reminder_triggered` is emitted once more, beside the schedule.

    Give `after`, a duration, or `until`, an instant; ten minutes by default.
    """
    until = (body or Snooze()).find_instant(request.workbench.clock.now())
    return await _write_reminder(request, snooze_reminder, reminder_id, until)


@api.post(
    "/reminders/{reminder_id}/done", narrowable=False, status=200, operation="finish_reminder"
)
async def finish(request: Request, reminder_id: RowId) -> ReminderView:
    """Mark a reminder as done; a recurring reminder returns at the next occurrence.

    The status is 409 if the reminder was not triggered since it was done.
    """
    return await _write_reminder(request, finish_reminder, reminder_id)


@api.delete(
    "/reminders/{reminder_id}",
    narrowable=False,
    operation="delete_reminder",
    present=_find_reminder,
)
async def delete(request: Request, reminder_id: RowId) -> None:
    """Delete a reminder with its schedules and runs; its events stay.

    The id is never given again.
    """
    await request.workbench.store.write(delete_reminder, request.user_id, reminder_id)


async def _write_reminder(
    request: Request,
    function: Callable[Concatenate[int, datetime, P], Reminder],
    *arguments: P.args,
    **more: P.kwargs,
) -> ReminderView:
    """Write a reminder, wake the scheduler, and return the view of the reminder."""
    user_id, now = request.user_id, request.workbench.clock.now()

    def write() -> ReminderView:
        return _make_reminder_view(function(user_id, now, *arguments, **more))

    view = await request.workbench.store.write(write)
    request.workbench.scheduler.wake()
    return view


def _make_reminder_view(reminder: Reminder) -> ReminderView:
    schedule = reminder.schedule
    schedules = (schedule, reminder.snooze)
    ahead = [each.next_fire_at for each in schedules if each is not None]
    return ReminderView(
        id=reminder.id,
        text=reminder.text,
        state=reminder.state,
        schedule_id=reminder.schedule_id,
        kind=TimingKind(schedule.kind),
        words=describe_timing(schedule),
        cron=read_cron(schedule),
        every=read_every(schedule),
        at=schedule.at,
        time_zone=schedule.time_zone,
        next_at=min((at for at in ahead if at is not None), default=None),
        triggered_at=reminder.triggered_at,
        done_at=reminder.done_at,
        created_at=reminder.created_at,
        updated_at=reminder.updated_at,
    )
