# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``reminders``: reminders, which come once or again and again."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict, Unpack

from biont.client.api.shared_models import CalendarInterval, Sort, TimingKind
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.pages import Pages


class NewReminder(TypedDict):
    """Text and timing of a new reminder.

    Give exactly one of `at`, `cron`, `every`.

    Attributes:
        seconds: True if `cron` has six fields, seconds first. By default `false`.
        cron: Minute, hour, day, month, weekday: `0 9 * * 1-5`.
        time_zone: IANA name: `Europe/Berlin`. By default your zone, or else the workbench's.
        starts_at: Nothing is due before this instant.
        ends_at: Nothing is due after this instant.
        every: Seconds between two occurrences, or `15m`, `2h`; or an interval of days, weeks,
            months or years: `{weeks: 2, at: '09:00'}`.
        at: The only occurrence.
    """

    seconds: NotRequired[bool]
    cron: NotRequired[str]
    time_zone: NotRequired[str | None]
    starts_at: NotRequired[str | datetime | None]
    ends_at: NotRequired[str | datetime | None]
    text: str
    every: NotRequired[int | str | CalendarInterval]
    at: NotRequired[str | datetime]


class ReminderChange(TypedDict):
    """Fields to change, as a JSON merge patch (RFC 7396).

    Attributes:
        seconds: True if `cron` has six fields, seconds first.
        cron: Minute, hour, day, month, weekday: `0 9 * * 1-5`.
        every: Seconds between two occurrences, or `15m`, `2h`; or an interval of days, weeks,
            months or years: `{weeks: 2, at: '09:00'}`.
        at: The only occurrence.
        time_zone: IANA name: `Europe/Berlin`. By default your zone, or else the workbench's.
        starts_at: Nothing is due before this instant.
        ends_at: Nothing is due after this instant.
    """

    seconds: NotRequired[bool]
    cron: NotRequired[str | None]
    every: NotRequired[int | str | CalendarInterval | None]
    at: NotRequired[str | datetime | None]
    time_zone: NotRequired[str | None]
    starts_at: NotRequired[str | datetime | None]
    ends_at: NotRequired[str | datetime | None]
    text: NotRequired[str]


ReminderState: TypeAlias = Literal["waiting", "triggered", "snoozed", "done"]
"""State of a reminder.

Waiting for its occurrence, triggered and not yet done, snoozed, or done for good.
"""


class ReminderView(TypedDict):
    """Stored reminder.

    Attributes:
        state: `waiting`, `triggered` and not yet done, `snoozed`, or `done` for good.
        words: Timing in words and in local time: `At 09:00, Monday to Friday`.
        next_at: Next occurrence, in UTC.
        triggered_at: Instant of the last event.
    """

    id: int
    text: str
    state: ReminderState
    schedule_id: int
    kind: TimingKind
    words: str
    cron: str | None
    every: int | CalendarInterval | None
    at: str | None
    time_zone: str
    next_at: str | None
    triggered_at: str | None
    done_at: str | None
    created_at: str
    updated_at: str


class Snooze(TypedDict):
    """Time until a snoozed reminder returns; ten minutes by default.

    Attributes:
        after: Seconds from now, or `1h`.
        until: Instant of the return.
    """

    after: NotRequired[int | str | None]
    until: NotRequired[str | datetime | None]


class Reminders(OperationGroup):
    """Reminders, which come once or again and again."""

    def create(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewReminder],
    ) -> ReminderView:
        """Create a reminder; `reminder_triggered` is emitted when the reminder is due.

        Give exactly one of `cron`, `every` and `at`.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            ReminderView,
            make_call(
                "POST",
                "/api/v1/reminders",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[ReminderView]:
        """List your reminders, the newest first.

        `state` tells whether a reminder waits, was triggered, is snoozed or is done.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            ReminderView,
            make_call(
                "GET",
                "/api/v1/reminders",
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def read(
        self,
        reminder_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> ReminderView:
        """Get a reminder.

        The status is 404 for a reminder of another user.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            ReminderView,
            make_call(
                "GET",
                "/api/v1/reminders/{}",
                (reminder_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    def change(
        self,
        reminder_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[ReminderChange],
    ) -> ReminderView:
        """Change the text of a reminder, the timing, or both, by a merge patch.

        Fields that are left out do not change.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            ReminderView,
            make_call(
                "PATCH",
                "/api/v1/reminders/{}",
                (reminder_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    def delete(
        self,
        reminder_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete a reminder with its schedules and runs; its events stay.

        The id is never given again.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        self._finish(
            make_call(
                "DELETE",
                "/api/v1/reminders/{}",
                (reminder_id,),
                headers={"If-Match": if_match},
            ),
        )

    def snooze(
        self,
        reminder_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[Snooze],
    ) -> ReminderView:
        """Snooze a reminder: `reminder_triggered` is emitted once more, beside the schedule.

        Give `after`, a duration, or `until`, an instant; ten minutes by default.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            ReminderView,
            make_call(
                "POST",
                "/api/v1/reminders/{}/snooze",
                (reminder_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )

    def finish(
        self,
        reminder_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> ReminderView:
        """Mark a reminder as done; a recurring reminder returns at the next occurrence.

        The status is 409 if the reminder was not triggered since it was done.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            ReminderView,
            make_call(
                "POST",
                "/api/v1/reminders/{}/done",
                (reminder_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )


class AsyncReminders(AsyncOperationGroup):
    """Reminders, which come once or again and again."""

    async def create(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewReminder],
    ) -> ReminderView:
        """Create a reminder; `reminder_triggered` is emitted when the reminder is due.

        Give exactly one of `cron`, `every` and `at`.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            ReminderView,
            make_call(
                "POST",
                "/api/v1/reminders",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[ReminderView]:
        """List your reminders, the newest first.

        `state` tells whether a reminder waits, was triggered, is snoozed or is done.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            ReminderView,
            make_call(
                "GET",
                "/api/v1/reminders",
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    async def read(
        self,
        reminder_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> ReminderView:
        """Get a reminder.

        The status is 404 for a reminder of another user.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            ReminderView,
            make_call(
                "GET",
                "/api/v1/reminders/{}",
                (reminder_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    async def change(
        self,
        reminder_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[ReminderChange],
    ) -> ReminderView:
        """Change the text of a reminder, the timing, or both, by a merge patch.

        Fields that are left out do not change.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            ReminderView,
            make_call(
                "PATCH",
                "/api/v1/reminders/{}",
                (reminder_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    async def delete(
        self,
        reminder_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete a reminder with its schedules and runs; its events stay.

        The id is never given again.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        await self._finish(
            make_call(
                "DELETE",
                "/api/v1/reminders/{}",
                (reminder_id,),
                headers={"If-Match": if_match},
            ),
        )

    async def snooze(
        self,
        reminder_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[Snooze],
    ) -> ReminderView:
        """Snooze a reminder: `reminder_triggered` is emitted once more, beside the schedule.

        Give `after`, a duration, or `until`, an instant; ten minutes by default.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            ReminderView,
            make_call(
                "POST",
                "/api/v1/reminders/{}/snooze",
                (reminder_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )

    async def finish(
        self,
        reminder_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> ReminderView:
        """Mark a reminder as done; a recurring reminder returns at the next occurrence.

        The status is 409 if the reminder was not triggered since it was done.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            ReminderView,
            make_call(
                "POST",
                "/api/v1/reminders/{}/done",
                (reminder_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )
