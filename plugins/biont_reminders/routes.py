"""The routes of reminders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Concatenate, ParamSpec

from pydantic import ConfigDict, Field

from biont import Api, Page, Request, RowId, Schema
from biont.exceptions import InputProblem, InvalidInput
from biont.http import Cursor, Limit, decode_cursor, make_page
from biont.scheduling import TimingKind
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
from biont_schedules import DueInstant, Duration, When, list_all_columns

P = ParamSpec("P")

api = Api("reminders")


class NewReminder(When):
    """What to be reminded of, and when."""

    text: Text


class ReminderChange(When):
    """What is to be otherwise; what is left out stays as it is."""

    text: Text | None = None


class Snooze(Schema):
    """When it is to come back; in ten minutes unless it says otherwise."""

    model_config = ConfigDict(extra="forbid")

    after: Duration | None = Field(None, description="In so many seconds, or `1h`.")
    until: DueInstant | None = Field(None, description="At this instant.")

    def find_instant(self, now: datetime) -> datetime:
        """Return when it is to come back.

        Raises:
            InvalidInput: it is said twice.
        """
        if self.until is None:
            return now + timedelta(seconds=600 if self.after is None else self.after)
        if self.after is not None:
            raise InvalidInput(InputProblem("give one of after and until", "#/until"))
        return self.until


class ReminderView(Schema):
    """A reminder as it is kept."""

    id: int
    text: str
    state: ReminderState = Field(
        description="`waiting` for its time, `triggered` and not yet done, `snoozed` or `done`."
    )
    schedule_id: int
    kind: TimingKind
    cron: str | None
    every: int | None
    at: datetime | None
    time_zone: str
    next_at: datetime | None = Field(description="When it comes next, in UTC.")
    triggered_at: datetime | None = Field(description="When it came last.")
    done_at: datetime | None
    created_at: datetime
    updated_at: datetime


@api.post("/reminders")
async def create(request: Request, body: NewReminder) -> ReminderView:
    """Keep a reminder; `reminder_triggered` is emitted when it is due."""
    columns = await list_all_columns(body, request.workbench, request.user_id)
    return await _write(request, create_reminder, body.text, columns)


@api.get("/reminders")
async def list_reminders(
    request: Request, limit: Limit = 100, cursor: Cursor = None
) -> Page[ReminderView]:
    """List your reminders, the newest first."""
    rows = await request.workbench.store.read(
        select_reminders, request.user_id, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda reminder: reminder.id, _show)


@api.get("/reminders/{reminder_id}")
async def read_reminder(request: Request, reminder_id: RowId) -> ReminderView:
    """Read a reminder."""
    user_id = request.user_id
    return await request.workbench.store.read(
        lambda: _show(Reminder.get_owned(user_id, reminder_id))
    )


@api.patch("/reminders/{reminder_id}")
async def change(request: Request, reminder_id: RowId, body: ReminderChange) -> ReminderView:
    """Change what to be reminded of, when, or both."""
    return await _write(request, change_reminder, reminder_id, body.text, body.list_columns())


@api.post("/reminders/{reminder_id}/snooze", status=200)
async def snooze(request: Request, reminder_id: RowId, body: Snooze | None = None) -> ReminderView:
    """Let a reminder come back later, beside when it is due anyway."""
    until = (body or Snooze()).find_instant(request.workbench.clock.now())
    return await _write(request, snooze_reminder, reminder_id, until)


@api.post("/reminders/{reminder_id}/done", status=200)
async def finish(request: Request, reminder_id: RowId) -> ReminderView:
    """Say that it is done; a reminder that recurs comes again at its next time."""
    return await _write(request, finish_reminder, reminder_id)


@api.delete("/reminders/{reminder_id}")
async def delete(request: Request, reminder_id: RowId) -> None:
    """Delete a reminder with the record of its runs; its events stay."""
    await request.workbench.store.write(delete_reminder, request.user_id, reminder_id)


async def _write(
    request: Request,
    function: Callable[Concatenate[int, datetime, P], Reminder],
    *arguments: P.args,
    **more: P.kwargs,
) -> ReminderView:
    """Write a reminder, look at what is due from now on, and show what was written."""
    user_id, now = request.user_id, request.workbench.clock.now()

    def write() -> ReminderView:
        return _show(function(user_id, now, *arguments, **more))

    shown = await request.workbench.store.write(write)
    request.workbench.scheduler.wake()
    return shown


def _show(reminder: Reminder) -> ReminderView:
    schedule = reminder.schedule
    ahead = [of.next_fire_at for of in (schedule, reminder.snooze) if of is not None]
    return ReminderView(
        id=reminder.id,
        text=reminder.text,
        state=reminder.state,
        schedule_id=reminder.schedule_id,
        kind=TimingKind(schedule.kind),
        cron=schedule.expression or None,
        every=schedule.every,
        at=schedule.at,
        time_zone=schedule.time_zone,
        next_at=min((at for at in ahead if at is not None), default=None),
        triggered_at=reminder.triggered_at,
        done_at=reminder.done_at,
        created_at=reminder.created_at,
        updated_at=reminder.updated_at,
    )
