# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``schedule``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict, Unpack

from biont.client.api.shared_models import CalendarInterval, Sort, TimingKind
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.json_types import JsonValue
from biont.client.pages import Pages


class ActiveRun(TypedDict):
    """Run that has not ended."""

    id: int
    status: RunStatus
    started_at: str | None


CatchUp: TypeAlias = Literal["latest", "all", "none"]
"""Selection of the missed occurrences that are run after all."""


class FeedAddress(TypedDict):
    """New calendar feed with the address, which is shown only once.

    Attributes:
        path: Path of the feed on this server, with the secret token.
    """

    created_at: str
    path: str


class FeedView(TypedDict):
    """Calendar feed."""

    created_at: str


class NewSchedule(TypedDict):
    """Schedule to create.

    Give exactly one of `at`, `cron`, `every`.

    Attributes:
        seconds: True if `cron` has six fields, seconds first. By default `false`.
        cron: Minute, hour, day, month, weekday: `0 9 * * 1-5`.
        time_zone: IANA name: `Europe/Berlin`. By default your zone, or else the workbench's.
        starts_at: Nothing is due before this instant.
        ends_at: Nothing is due after this instant.
        max_runs: Number of runs after which the schedule is finished.
        jitter: Largest delay in seconds, or `5m`; a schedule always has the same delay. By
            default `0`.
        catch_up: Missed occurrences that are run after all. By default `"latest"`.
        catch_up_window: Largest age of missed occurrences, in seconds or `1h`; null for the
            setting.
        catch_up_limit: Largest number of missed occurrences that `all` runs. By default `100`.
        overlap: Treatment of an occurrence while an earlier run is active. By default `"skip"`.
        timeout: Seconds that a run may take; null for the setting.
        retry: Seconds before each retry of a failed run.
        daily_budget: Number of runs allowed on one day of the time zone.
        on_crash: By default `"resume"`.
        prompt: Prompt for the language model. Short for the parameter of a job `prompt`.
        job: Name of the job kind; plugins add job kinds. By default `"prompt"`.
        parameters: Parameters of the job kind.
        every: Seconds between two occurrences, or `15m`, `2h`; or an interval of days, weeks,
            months or years: `{weeks: 2, at: '09:00'}`.
        at: The only occurrence.
    """

    seconds: NotRequired[bool]
    cron: NotRequired[str]
    time_zone: NotRequired[str | None]
    starts_at: NotRequired[str | datetime | None]
    ends_at: NotRequired[str | datetime | None]
    max_runs: NotRequired[int | None]
    jitter: NotRequired[int | str]
    catch_up: NotRequired[CatchUp]
    catch_up_window: NotRequired[int | str | None]
    catch_up_limit: NotRequired[int]
    overlap: NotRequired[Overlap]
    timeout: NotRequired[float | None]
    retry: NotRequired[Sequence[float]]
    daily_budget: NotRequired[int | None]
    on_crash: NotRequired[OnCrash]
    name: NotRequired[str | None]
    prompt: NotRequired[str | None]
    job: NotRequired[str]
    parameters: NotRequired[Mapping[str, JsonValue]]
    every: NotRequired[int | str | CalendarInterval]
    at: NotRequired[str | datetime]


OnCrash: TypeAlias = Literal["resume", "fail"]
"""Treatment of a run that the end of the process has interrupted."""


Overlap: TypeAlias = Literal["skip", "queue", "allow"]
"""Treatment of an occurrence while an earlier run of the schedule is active."""


class PreviewAnswer(TypedDict):
    """Occurrences of a timing.

    Attributes:
        words: Timing in words: `At 09:00, Monday to Friday`.
    """

    words: str
    time_zone: str
    instants: list[PreviewItem]


class PreviewItem(TypedDict):
    """Previewed occurrence.

    Attributes:
        instant: In UTC, without jitter.
        due_at: With jitter; null for a new schedule, whose delay is not known yet.
        latest_at: With the largest delay that jitter may add.
        local_time: Local time in the zone, with offset.
        wall_time: `gap`: the clock skips the wall time; `overlap`: the clock shows it twice.
    """

    instant: str
    due_at: str | None
    latest_at: str
    local_time: str
    wall_time: WallTime


class PreviewRequest(TypedDict):
    """Timing to preview.

    Give exactly one of `at`, `cron`, `every`.

    Attributes:
        seconds: True if `cron` has six fields, seconds first. By default `false`.
        cron: Minute, hour, day, month, weekday: `0 9 * * 1-5`.
        time_zone: IANA name: `Europe/Berlin`. By default your zone, or else the workbench's.
        starts_at: Nothing is due before this instant.
        ends_at: Nothing is due after this instant.
        start: Preview after this instant; by default after now.
        count: By default `10`.
        jitter: Largest delay in seconds, or `5m`. By default `0`.
        schedule_id: Schedule whose delay is meant, and whose `jitter` is the default; a new
            schedule gets its delay when it is created.
        every: Seconds between two occurrences, or `15m`, `2h`; or an interval of days, weeks,
            months or years: `{weeks: 2, at: '09:00'}`.
        at: The only occurrence.
    """

    seconds: NotRequired[bool]
    cron: NotRequired[str]
    time_zone: NotRequired[str | None]
    starts_at: NotRequired[str | datetime | None]
    ends_at: NotRequired[str | datetime | None]
    start: NotRequired[str | datetime | None]
    count: NotRequired[int]
    jitter: NotRequired[int | str]
    schedule_id: NotRequired[int | None]
    every: NotRequired[int | str | CalendarInterval]
    at: NotRequired[str | datetime]


RunStatus: TypeAlias = Literal[
    "queued",
    "running",
    "succeeded",
    "failed",
    "late",
    "missed",
    "coalesced",
    "skipped_overlap",
    "skipped_budget",
    "cancelled",
]
"""Status of an occurrence and of the run."""


RunTrigger: TypeAlias = Literal["schedule", "run_now", "retry"]
"""Cause of a run."""


class RunView(TypedDict):
    """Due occurrence of a schedule, with the run if any.

    Attributes:
        scheduled_for: The occurrence, without jitter.
        due_at: The occurrence with jitter.
        waits_until: Instant of the next retry, or end of a postponement; `reason` says why.
        duration: Seconds from the last start to the end.
        reason: Reason why the occurrence was not run.
        correlation_id: Correlation id of the events that the run caused.
    """

    id: int
    schedule_id: int
    scheduled_for: str
    due_at: str
    status: RunStatus
    trigger: RunTrigger
    attempts: int
    claimed_at: str
    started_at: str | None
    waits_until: str | None
    ended_at: str | None
    duration: float | None
    error: str | None
    reason: str | None
    correlation_id: str
    result: dict[str, JsonValue] | None


class ScheduleChange(TypedDict):
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
        max_runs: Number of runs after which the schedule is finished.
        jitter: Largest delay in seconds, or `5m`; a schedule always has the same delay.
        catch_up: Missed occurrences that are run after all.
        catch_up_window: Largest age of missed occurrences, in seconds or `1h`; null for the
            setting.
        catch_up_limit: Largest number of missed occurrences that `all` runs.
        overlap: Treatment of an occurrence while an earlier run is active.
        timeout: Seconds that a run may take; null for the setting.
        retry: Seconds before each retry of a failed run.
        daily_budget: Number of runs allowed on one day of the time zone.
        parameters: Parameters to change, merged one by one; null takes a parameter away. A list
            replaces the present list.
    """

    seconds: NotRequired[bool]
    cron: NotRequired[str | None]
    every: NotRequired[int | str | CalendarInterval | None]
    at: NotRequired[str | datetime | None]
    time_zone: NotRequired[str | None]
    starts_at: NotRequired[str | datetime | None]
    ends_at: NotRequired[str | datetime | None]
    max_runs: NotRequired[int | None]
    jitter: NotRequired[int | str]
    catch_up: NotRequired[CatchUp]
    catch_up_window: NotRequired[int | str | None]
    catch_up_limit: NotRequired[int]
    overlap: NotRequired[Overlap]
    timeout: NotRequired[float | None]
    retry: NotRequired[Sequence[float]]
    daily_budget: NotRequired[int | None]
    on_crash: NotRequired[OnCrash]
    name: NotRequired[str]
    prompt: NotRequired[str]
    parameters: NotRequired[Mapping[str, JsonValue]]


ScheduleState: TypeAlias = Literal["active", "paused", "finished"]
"""State of a schedule: will be due again, paused, or finished."""


class ScheduleView(TypedDict):
    """Stored schedule.

    Attributes:
        words: Timing in words and in local time: `At 09:00, Monday to Friday`.
        origin: `file` for a declared schedule, `reminder` for a reminder's schedule.
        text_origin: Event by which text of another system came in that led to the schedule;
            null for none.
        slug: Name of a declared schedule in the file.
        next_fire_at: Next occurrence, in UTC.
    """

    id: int
    name: str
    state: ScheduleState
    kind: TimingKind
    words: str
    cron: str | None
    seconds: bool
    every: int | CalendarInterval | None
    at: str | None
    time_zone: str
    starts_at: str | None
    ends_at: str | None
    max_runs: int | None
    run_count: int
    jitter: int
    catch_up: CatchUp
    catch_up_window: float | None
    catch_up_limit: int
    overlap: Overlap
    timeout: float | None
    retry: list[float]
    daily_budget: int | None
    on_crash: OnCrash
    origin: str | None
    text_origin: str | None
    slug: str | None
    job: str
    parameters: dict[str, JsonValue]
    paused: bool
    next_fire_at: str | None
    created_at: str
    updated_at: str


class SimulatedOccurrence(TypedDict):
    """Simulated outcome of an occurrence.

    Attributes:
        scheduled_for: The occurrence, without jitter.
        due_at: The occurrence with jitter.
        reason: Reason why there would be no run, or a failed run.
    """

    scheduled_for: str
    due_at: str
    status: RunStatus
    reason: str | None
    started_at: str | None
    ended_at: str | None


class SimulatedSchedule(TypedDict):
    """Simulated future of a schedule.

    Attributes:
        words: Timing in words: `At 09:00, Monday to Friday`.
        counts: Number of occurrences by status.
        occurrences: The first occurrences.
    """

    words: str
    time_zone: str
    counts: dict[str, int]
    occurrences: list[SimulatedOccurrence]


class SimulationAnswer(TypedDict):
    """Future of a schedule as it is, and with a change.

    Attributes:
        until: End of the simulation; earlier than asked for if there are very many occurrences.
        duration: Seconds that each run takes.
        active_runs: Runs that are active now. `overlap` decides about an occurrence that is due
            before these end; the simulation begins without them.
        present: The schedule as it is.
        changed: The schedule with the change.
    """

    start: str
    until: str
    duration: float
    active_runs: list[ActiveRun]
    present: SimulatedSchedule
    changed: SimulatedSchedule


class Upcoming(TypedDict):
    """Upcoming occurrence of a schedule of yours.

    Attributes:
        scheduled_for: The occurrence, without jitter.
        due_at: The occurrence with jitter.
        problem: Reason why the occurrence will fail; null for a valid timing.
    """

    schedule_id: int
    name: str
    scheduled_for: str
    due_at: str
    problem: str | None


WallTime: TypeAlias = Literal["ordinary", "gap", "overlap"]
"""Treatment of an occurrence's wall time by the clock of the zone."""


class Why(TypedDict):
    """Explanation why a schedule did, or did not, run.

    Attributes:
        sentences: Sentences; the first is about the state of the schedule.
    """

    sentences: list[str]


class Schedule(OperationGroup):
    """Schedules of prompts and other jobs, their runs and their calendar feed."""

    def create_calendar_feed(
        self,
        *,
        idempotency_key: str | None = None,
    ) -> FeedAddress:
        """Create the address of your calendar feed; an earlier address is revoked.

        Calendar programs read the address without a key, because such programs send no keys.
        Keep
        the address secret.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            FeedAddress,
            make_call(
                "POST",
                "/api/v1/schedule/feed",
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def read_calendar_feed(
        self,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> FeedView:
        """Get your calendar feed; the address is not stored and cannot be shown again.

        The status is 404 if you have no calendar feed.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            FeedView,
            make_call(
                "GET",
                "/api/v1/schedule/feed",
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    def revoke_calendar_feed(
        self,
        *,
        if_match: str | None = None,
    ) -> None:
        """Revoke the address of your calendar feed.

        The status is 404 if you have no calendar feed.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        self._finish(
            make_call("DELETE", "/api/v1/schedule/feed", headers={"If-Match": if_match}),
        )

    def read_calendar(
        self,
        token: str,
        /,
    ) -> str:
        """Read the upcoming occurrences of a user's schedules as iCalendar; the token is the key.

        Calendar programs subscribe to this address.

        Needs no API key.
        """
        return self._read_text(
            make_call("GET", "/api/v1/schedule/feed/{}.ics", (token,)),
        )

    def list_runs(
        self,
        schedule_id: int,
        /,
        *,
        status: Sequence[RunStatus] | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[RunView]:
        """List the runs and skipped occurrences of a schedule, the newest first.

        Occurrences that did not run are in the list too, with the reason.

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
            RunView,
            make_call(
                "GET",
                "/api/v1/schedule/{}/runs",
                (schedule_id,),
                query={
                    "status": status,
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def read_run(
        self,
        schedule_id: int,
        run_id: int,
        /,
        *,
        fields: str | None = None,
    ) -> RunView:
        """Get a run.

        `result` is there as soon as the run has succeeded.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            RunView,
            make_call(
                "GET",
                "/api/v1/schedule/{}/runs/{}",
                (schedule_id, run_id),
                query={"fields": fields},
            ),
        )

    def cancel_run(
        self,
        schedule_id: int,
        run_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> RunView:
        """Cancel a queued or active run; nothing that the job did is kept.

        The status is 409 if the run has ended.

        Needs an API key of scope `full`.
        """
        return self._read(
            RunView,
            make_call(
                "POST",
                "/api/v1/schedule/{}/runs/{}/cancel",
                (schedule_id, run_id),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def retry_run(
        self,
        schedule_id: int,
        run_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> RunView:
        """Retry an ended run that did not succeed.

        The status is 409 if the run has succeeded or has not ended, or if too many runs wait.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            RunView,
            make_call(
                "POST",
                "/api/v1/schedule/{}/runs/{}/retry",
                (schedule_id, run_id),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def simulate(
        self,
        schedule_id: int,
        /,
        *,
        days: int | None = None,
        duration: float | None = None,
        down_from: str | datetime | None = None,
        down_until: str | datetime | None = None,
        limit: int | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[ScheduleChange],
    ) -> SimulationAnswer:
        """Simulate a change of a schedule before it is made; nothing is stored and no job runs.

        The body is that of the `PATCH` that would make the change. The answer has the next
        occurrences with the outcomes of the run policy, as the schedule is and with the change.
        A
        paused schedule is simulated as if resumed.

        Needs an API key of scope `full`.

        Args:
            days: Number of days to simulate from now on.
            duration: Seconds that each run takes; by default the mean of the last runs.
            down_from: Begin of a time without a scheduler; with `down_until`.
            down_until: End of the time without a scheduler; with `down_from`.
            limit: Largest number of occurrences in the answer.
        """
        return self._read(
            SimulationAnswer,
            make_call(
                "POST",
                "/api/v1/schedule/{}/simulate",
                (schedule_id,),
                query={
                    "days": days,
                    "duration": duration,
                    "down_from": down_from,
                    "down_until": down_until,
                    "limit": limit,
                },
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )

    def create(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewSchedule],
    ) -> ScheduleView:
        """Create a schedule for a prompt or another job.

        Give exactly one of `cron`, `every` and `at`. Each due occurrence becomes one run.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            ScheduleView,
            make_call(
                "POST",
                "/api/v1/schedule",
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
    ) -> Pages[ScheduleView]:
        """List your schedules, the newest first.

        The list has declared schedules too, which can be changed in their file only.

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
            ScheduleView,
            make_call(
                "GET",
                "/api/v1/schedule",
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

    def list_upcoming(
        self,
        *,
        from_: str | datetime | None = None,
        until: str | datetime | None = None,
        schedule_id: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[Upcoming]:
        """List the upcoming occurrences of your schedules with their jitter, the soonest first.

        Give a window by `from` and `until`, or a schedule by `schedule_id`.

        Needs an API key of scope `full` or `read`.

        Args:
            from_: Nothing before this instant; by default now.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            Upcoming,
            make_call(
                "GET",
                "/api/v1/schedule/upcoming",
                query={
                    "from": from_,
                    "until": until,
                    "schedule_id": schedule_id,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def preview(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[PreviewRequest],
    ) -> PreviewAnswer:
        """Preview the occurrences of a timing; nothing is stored.

        Give exactly one of `cron`, `every` and `at`.

        Needs an API key of scope `full`.
        """
        return self._read(
            PreviewAnswer,
            make_call(
                "POST",
                "/api/v1/schedule/preview",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def read(
        self,
        schedule_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> ScheduleView:
        """Get a schedule.

        The answer has the timing and the run policy.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            ScheduleView,
            make_call(
                "GET",
                "/api/v1/schedule/{}",
                (schedule_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    def change(
        self,
        schedule_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[ScheduleChange],
    ) -> ScheduleView:
        """Change a schedule by a merge patch; fields that are left out do not change.

        A schedule has either `cron`, `every` or `at`: a new timing takes the place of the old
        timing.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            ScheduleView,
            make_call(
                "PATCH",
                "/api/v1/schedule/{}",
                (schedule_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    def delete(
        self,
        schedule_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete a schedule with its runs; notes and events of the runs stay.

        The status is 409 for a schedule that is declared in a file or belongs to a reminder.

        Needs an API key of scope `full`.
        """
        self._finish(
            make_call(
                "DELETE",
                "/api/v1/schedule/{}",
                (schedule_id,),
                headers={"If-Match": if_match},
            ),
        )

    def pause(
        self,
        schedule_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> ScheduleView:
        """Pause a schedule: nothing is due, and waiting runs wait, until the schedule is resumed.

        Active runs go on.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            ScheduleView,
            make_call(
                "POST",
                "/api/v1/schedule/{}/pause",
                (schedule_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def resume(
        self,
        schedule_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> ScheduleView:
        """Resume a paused schedule; occurrences that passed meanwhile are not caught up.

        Runs that waited begin.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            ScheduleView,
            make_call(
                "POST",
                "/api/v1/schedule/{}/resume",
                (schedule_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def run(
        self,
        schedule_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> RunView:
        """Run a schedule now, also a paused or finished schedule.

        The answer comes at once, with the run; read the run for its result.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            RunView,
            make_call(
                "POST",
                "/api/v1/schedule/{}/run-now",
                (schedule_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def explain(
        self,
        schedule_id: int,
        /,
        *,
        at: str | datetime | None = None,
        fields: str | None = None,
    ) -> Why:
        """Explain why a schedule did, or did not, run: lately, or at an instant.

        The sentences are for people; the wording may change.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            Why,
            make_call(
                "GET",
                "/api/v1/schedule/{}/why",
                (schedule_id,),
                query={"at": at, "fields": fields},
            ),
        )


class AsyncSchedule(AsyncOperationGroup):
    """Schedules of prompts and other jobs, their runs and their calendar feed."""

    async def create_calendar_feed(
        self,
        *,
        idempotency_key: str | None = None,
    ) -> FeedAddress:
        """Create the address of your calendar feed; an earlier address is revoked.

        Calendar programs read the address without a key, because such programs send no keys.
        Keep
        the address secret.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            FeedAddress,
            make_call(
                "POST",
                "/api/v1/schedule/feed",
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def read_calendar_feed(
        self,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> FeedView:
        """Get your calendar feed; the address is not stored and cannot be shown again.

        The status is 404 if you have no calendar feed.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            FeedView,
            make_call(
                "GET",
                "/api/v1/schedule/feed",
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    async def revoke_calendar_feed(
        self,
        *,
        if_match: str | None = None,
    ) -> None:
        """Revoke the address of your calendar feed.

        The status is 404 if you have no calendar feed.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        await self._finish(
            make_call("DELETE", "/api/v1/schedule/feed", headers={"If-Match": if_match}),
        )

    async def read_calendar(
        self,
        token: str,
        /,
    ) -> str:
        """Read the upcoming occurrences of a user's schedules as iCalendar; the token is the key.

        Calendar programs subscribe to this address.

        Needs no API key.
        """
        return await self._read_text(
            make_call("GET", "/api/v1/schedule/feed/{}.ics", (token,)),
        )

    def list_runs(
        self,
        schedule_id: int,
        /,
        *,
        status: Sequence[RunStatus] | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[RunView]:
        """List the runs and skipped occurrences of a schedule, the newest first.

        Occurrences that did not run are in the list too, with the reason.

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
            RunView,
            make_call(
                "GET",
                "/api/v1/schedule/{}/runs",
                (schedule_id,),
                query={
                    "status": status,
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    async def read_run(
        self,
        schedule_id: int,
        run_id: int,
        /,
        *,
        fields: str | None = None,
    ) -> RunView:
        """Get a run.

        `result` is there as soon as the run has succeeded.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            RunView,
            make_call(
                "GET",
                "/api/v1/schedule/{}/runs/{}",
                (schedule_id, run_id),
                query={"fields": fields},
            ),
        )

    async def cancel_run(
        self,
        schedule_id: int,
        run_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> RunView:
        """Cancel a queued or active run; nothing that the job did is kept.

        The status is 409 if the run has ended.

        Needs an API key of scope `full`.
        """
        return await self._read(
            RunView,
            make_call(
                "POST",
                "/api/v1/schedule/{}/runs/{}/cancel",
                (schedule_id, run_id),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def retry_run(
        self,
        schedule_id: int,
        run_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> RunView:
        """Retry an ended run that did not succeed.

        The status is 409 if the run has succeeded or has not ended, or if too many runs wait.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            RunView,
            make_call(
                "POST",
                "/api/v1/schedule/{}/runs/{}/retry",
                (schedule_id, run_id),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def simulate(
        self,
        schedule_id: int,
        /,
        *,
        days: int | None = None,
        duration: float | None = None,
        down_from: str | datetime | None = None,
        down_until: str | datetime | None = None,
        limit: int | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[ScheduleChange],
    ) -> SimulationAnswer:
        """Simulate a change of a schedule before it is made; nothing is stored and no job runs.

        The body is that of the `PATCH` that would make the change. The answer has the next
        occurrences with the outcomes of the run policy, as the schedule is and with the change.
        A
        paused schedule is simulated as if resumed.

        Needs an API key of scope `full`.

        Args:
            days: Number of days to simulate from now on.
            duration: Seconds that each run takes; by default the mean of the last runs.
            down_from: Begin of a time without a scheduler; with `down_until`.
            down_until: End of the time without a scheduler; with `down_from`.
            limit: Largest number of occurrences in the answer.
        """
        return await self._read(
            SimulationAnswer,
            make_call(
                "POST",
                "/api/v1/schedule/{}/simulate",
                (schedule_id,),
                query={
                    "days": days,
                    "duration": duration,
                    "down_from": down_from,
                    "down_until": down_until,
                    "limit": limit,
                },
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )

    async def create(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewSchedule],
    ) -> ScheduleView:
        """Create a schedule for a prompt or another job.

        Give exactly one of `cron`, `every` and `at`. Each due occurrence becomes one run.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            ScheduleView,
            make_call(
                "POST",
                "/api/v1/schedule",
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
    ) -> AsyncPages[ScheduleView]:
        """List your schedules, the newest first.

        The list has declared schedules too, which can be changed in their file only.

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
            ScheduleView,
            make_call(
                "GET",
                "/api/v1/schedule",
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

    def list_upcoming(
        self,
        *,
        from_: str | datetime | None = None,
        until: str | datetime | None = None,
        schedule_id: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[Upcoming]:
        """List the upcoming occurrences of your schedules with their jitter, the soonest first.

        Give a window by `from` and `until`, or a schedule by `schedule_id`.

        Needs an API key of scope `full` or `read`.

        Args:
            from_: Nothing before this instant; by default now.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            Upcoming,
            make_call(
                "GET",
                "/api/v1/schedule/upcoming",
                query={
                    "from": from_,
                    "until": until,
                    "schedule_id": schedule_id,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    async def preview(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[PreviewRequest],
    ) -> PreviewAnswer:
        """Preview the occurrences of a timing; nothing is stored.

        Give exactly one of `cron`, `every` and `at`.

        Needs an API key of scope `full`.
        """
        return await self._read(
            PreviewAnswer,
            make_call(
                "POST",
                "/api/v1/schedule/preview",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    async def read(
        self,
        schedule_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> ScheduleView:
        """Get a schedule.

        The answer has the timing and the run policy.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            ScheduleView,
            make_call(
                "GET",
                "/api/v1/schedule/{}",
                (schedule_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    async def change(
        self,
        schedule_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[ScheduleChange],
    ) -> ScheduleView:
        """Change a schedule by a merge patch; fields that are left out do not change.

        A schedule has either `cron`, `every` or `at`: a new timing takes the place of the old
        timing.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            ScheduleView,
            make_call(
                "PATCH",
                "/api/v1/schedule/{}",
                (schedule_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    async def delete(
        self,
        schedule_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete a schedule with its runs; notes and events of the runs stay.

        The status is 409 for a schedule that is declared in a file or belongs to a reminder.

        Needs an API key of scope `full`.
        """
        await self._finish(
            make_call(
                "DELETE",
                "/api/v1/schedule/{}",
                (schedule_id,),
                headers={"If-Match": if_match},
            ),
        )

    async def pause(
        self,
        schedule_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> ScheduleView:
        """Pause a schedule: nothing is due, and waiting runs wait, until the schedule is resumed.

        Active runs go on.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            ScheduleView,
            make_call(
                "POST",
                "/api/v1/schedule/{}/pause",
                (schedule_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def resume(
        self,
        schedule_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> ScheduleView:
        """Resume a paused schedule; occurrences that passed meanwhile are not caught up.

        Runs that waited begin.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            ScheduleView,
            make_call(
                "POST",
                "/api/v1/schedule/{}/resume",
                (schedule_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def run(
        self,
        schedule_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> RunView:
        """Run a schedule now, also a paused or finished schedule.

        The answer comes at once, with the run; read the run for its result.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            RunView,
            make_call(
                "POST",
                "/api/v1/schedule/{}/run-now",
                (schedule_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def explain(
        self,
        schedule_id: int,
        /,
        *,
        at: str | datetime | None = None,
        fields: str | None = None,
    ) -> Why:
        """Explain why a schedule did, or did not, run: lately, or at an instant.

        The sentences are for people; the wording may change.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            Why,
            make_call(
                "GET",
                "/api/v1/schedule/{}/why",
                (schedule_id,),
                query={"at": at, "fields": fields},
            ),
        )
