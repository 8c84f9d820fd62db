"""REST routes of schedules and runs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from biont import Api, Page, Request, RowId, Schema
from biont.http import Cursor, Limit, ListQuery, decode_cursor, encode_cursor, make_page
from biont.scheduling import JOB_KINDS, Schedule
from biont_schedules.changes import list_changes, list_job_changes
from biont_schedules.feed_routes import api as feed_api
from biont_schedules.fields import EARLIEST, DueInstant
from biont_schedules.parameters import check_parameters
from biont_schedules.run_routes import api as run_api
from biont_schedules.run_views import (
    PreviewAnswer,
    PreviewRequest,
    RunView,
    Upcoming,
    make_preview_item,
    make_run_view,
    make_upcoming_view,
)
from biont_schedules.schedules import (
    apply_change,
    delete_schedule,
    get_editable,
    insert_schedule,
    pause_schedule,
    resume_schedule,
)
from biont_schedules.simulation_routes import api as simulation_api
from biont_schedules.timing import list_all_columns, read_timing
from biont_schedules.upcoming import Window, read_key, select_upcoming
from biont_schedules.views import NewSchedule, ScheduleChange, ScheduleView, make_schedule_view
from biont_schedules.why import explain_schedule

api = Api(
    "schedule",
    description="Schedules of prompts and other jobs, their runs and their calendar feed.",
)

From = Annotated[
    DueInstant | None,
    Field(alias="from", description="Nothing before this instant; by default now."),
]
# Before the routes with the id of a schedule, because the first route that fits answers.
api.include(feed_api)
api.include(run_api)
api.include(simulation_api)


class Why(Schema):
    """Explanation why a schedule did, or did not, run."""

    sentences: list[str] = Field(
        description="Sentences; the first is about the state of the schedule."
    )


def _find_schedule(request: Request, schedule_id: RowId) -> ScheduleView:
    return make_schedule_view(Schedule.get_owned(request.user_id, schedule_id))


@api.post(
    "/schedule",
    quota="schedules",
    narrowable=False,
    location="/schedule/{id}",
    example={
        "prompt": "Summarise my new notes.",
        "cron": "0 9 * * 1-5",
        "time_zone": "Europe/Berlin",
    },
)
async def create_schedule(request: Request, body: NewSchedule) -> ScheduleView:
    """Create a schedule for a prompt or another job.

    Give exactly one of `cron`, `every` and `at`. Each due occurrence becomes one run.
    """
    workbench = request.workbench
    columns = await list_all_columns(body, workbench, request.user_id)
    columns["name"] = body.name or (body.prompt or body.job)[:80]
    columns["job_kind"] = body.job
    columns["parameters"] = check_parameters(
        workbench.get(JOB_KINDS), body.job, body.parameters, body.prompt
    )
    schedule = await workbench.store.write(
        insert_schedule, request.user_id, columns, workbench.clock.now()
    )
    workbench.scheduler.wake()
    return make_schedule_view(schedule)


@api.get("/schedule")
async def list_schedules(
    request: Request,
    query: ListQuery,
) -> Page[ScheduleView]:
    """List your schedules, the newest first.

    The list has declared schedules too, which can be changed in their file only.
    """
    rows = await request.workbench.store.read(
        Schedule.read_page, request.user_id, query.limit, query.span
    )
    return make_page(rows, query.limit, lambda schedule: schedule.id, make_schedule_view)


@api.get("/schedule/upcoming", problems=(404,))
async def list_upcoming(
    request: Request,
    start: From = None,
    until: DueInstant | None = None,
    schedule_id: RowId | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[Upcoming]:
    """List the upcoming occurrences of your schedules with their jitter, the soonest first.

    Give a window by `from` and `until`, or a schedule by `schedule_id`.
    """
    now = request.workbench.clock.now()
    window = Window(max(start or now, now), until, schedule_id)
    if (key := decode_cursor(cursor)) is not None:
        begin, skipped = read_key(key)
        window = Window(begin, until, schedule_id, skipped)
    found, following = await request.workbench.store.read(
        select_upcoming, request.user_id, window, now, limit
    )
    return Page(
        data=[make_upcoming_view(occurrence) for occurrence in found],
        next=None if following is None else encode_cursor(following),
    )


@api.post("/schedule/preview", status=200, example={"every": "90m", "count": 3})
async def preview_schedule(request: Request, body: PreviewRequest) -> PreviewAnswer:
    """Preview the occurrences of a timing; nothing is stored.

    Give exactly one of `cron`, `every` and `at`.
    """
    workbench = request.workbench
    start, present = body.start or workbench.clock.now(), None
    if body.schedule_id is not None:
        present = await workbench.store.read(Schedule.get_owned, request.user_id, body.schedule_id)
    zone = await workbench.find_time_zone(request.user_id)
    schedule = body.make_schedule(zone, start if present is None else present.created_at)
    timing, delay = read_timing(schedule), body.find_delay(present)
    # An occurrence before the start may be due after the start, by its delay.
    after = start if delay is None else max(start, EARLIEST + delay) - delay
    return PreviewAnswer(
        words=timing.describe(),
        time_zone=schedule.time_zone,
        instants=[
            make_preview_item(found, delay, body.jitter)
            for found in timing.preview(after, body.count)
        ],
    )


@api.get("/schedule/{schedule_id}")
async def read_schedule(request: Request, schedule_id: RowId) -> ScheduleView:
    """Get a schedule.

    The answer has the timing and the run policy.
    """
    return await request.workbench.store.read(_find_schedule, request, schedule_id)


@api.patch(
    "/schedule/{schedule_id}",
    narrowable=False,
    example={"cron": "0 10 * * 1-5"},
    present=_find_schedule,
)
async def change_schedule(
    request: Request, schedule_id: RowId, body: ScheduleChange
) -> ScheduleView:
    """Change a schedule by a merge patch; fields that are left out do not change.

    A schedule has either `cron`, `every` or `at`: a new timing takes the place of the old timing.
    """
    workbench = request.workbench
    user_id, now, kinds = request.user_id, workbench.clock.now(), workbench.get(JOB_KINDS)
    zone = await workbench.find_time_zone(user_id)

    def write() -> ScheduleView:
        # Merged in the transaction that writes: two changes at once lose nothing.
        schedule = get_editable(user_id, schedule_id)
        columns = list_changes(schedule, body, zone) | list_job_changes(schedule, body, kinds)
        return make_schedule_view(apply_change(schedule, columns, now))

    view = await workbench.store.write(write)
    workbench.scheduler.wake()
    return view


@api.post(
    "/schedule/{schedule_id}/pause", narrowable=False, status=200, operation="pause_schedule"
)
async def pause(request: Request, schedule_id: RowId) -> ScheduleView:
    """Pause a schedule: nothing is due, and waiting runs wait, until the schedule is resumed.

    Active runs go on.
    """
    now = request.workbench.clock.now()
    return make_schedule_view(
        await request.workbench.store.write(pause_schedule, request.user_id, schedule_id, now)
    )


@api.post(
    "/schedule/{schedule_id}/resume",
    narrowable=False,
    status=200,
    operation="resume_schedule",
)
async def resume(request: Request, schedule_id: RowId) -> ScheduleView:
    """Resume a paused schedule; occurrences that passed meanwhile are not caught up.

    Runs that waited begin.
    """
    workbench = request.workbench
    schedule = await workbench.store.write(
        resume_schedule, request.user_id, schedule_id, workbench.clock.now()
    )
    workbench.scheduler.resume_runs()
    return make_schedule_view(schedule)


@api.delete("/schedule/{schedule_id}", operation="delete_schedule", present=_find_schedule)
async def delete(request: Request, schedule_id: RowId) -> None:
    """Delete a schedule with its runs; notes and events of the runs stay.

    The status is 409 for a schedule that is declared in a file or belongs to a reminder.
    """
    await request.workbench.store.write(delete_schedule, request.user_id, schedule_id)


@api.post(
    "/schedule/{schedule_id}/run-now",
    narrowable=False,
    status=202,
    location="/schedule/{schedule_id}/runs/{id}",
)
async def run_schedule(request: Request, schedule_id: RowId) -> RunView:
    """Run a schedule now, also a paused or finished schedule.

    The answer comes at once, with the run; read the run for its result.
    """
    return make_run_view(await request.workbench.scheduler.run_now(request.user_id, schedule_id))


@api.get("/schedule/{schedule_id}/why", operation="explain_schedule")
async def explain(request: Request, schedule_id: RowId, at: DueInstant | None = None) -> Why:
    """Explain why a schedule did, or did not, run: lately, or at an instant.

    The sentences are for people; the wording may change.
    """
    now = request.workbench.clock.now()
    user_id = request.user_id

    def read() -> list[str]:
        return explain_schedule(Schedule.get_owned(user_id, schedule_id), at, now)

    return Why(sentences=await request.workbench.store.read(read))
