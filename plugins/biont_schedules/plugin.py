"""Schedules: run a prompt, or another job, when a cron expression falls due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from biont import (
    Api,
    Cursor,
    JobKind,
    Limit,
    Page,
    Request,
    RowId,
    Schedule,
    decode_cursor,
    hookimpl,
    make_page,
)
from biont.exceptions import InputProblem, InvalidInput, Location, point_to
from biont_schedules.prompt import PROMPT
from biont_schedules.schedules import (
    delete_schedule,
    insert_schedule,
    pause_schedule,
    resume_schedule,
    select_runs,
)
from biont_schedules.views import NewSchedule, RunView, ScheduleView, show_run, show_schedule

api = Api("schedule")


@hookimpl
def register_routes() -> Api:
    """Return the routes of schedules."""
    return api


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    """Return the job kind ``prompt``."""
    return [PROMPT]


@api.post("/schedule")
async def create(request: Request, body: NewSchedule) -> ScheduleView:
    """Schedule a prompt, or another kind of job."""
    workbench = request.workbench
    schedule = await workbench.store.write(
        insert_schedule,
        request.user_id,
        name=body.name or (body.prompt or body.job)[:80],
        job_kind=body.job,
        parameters=_check_parameters(workbench.scheduler.kinds, body),
        expression=body.cron,
        time_zone=body.time_zone or workbench.settings.scheduler.time_zone,
        now=workbench.clock.now(),
    )
    workbench.scheduler.wake()
    return show_schedule(schedule)


@api.get("/schedule")
async def list_schedules(
    request: Request, limit: Limit = 100, cursor: Cursor = None
) -> Page[ScheduleView]:
    """List your schedules, the newest first."""
    rows = await request.workbench.store.read(
        Schedule.read_page, request.user_id, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda schedule: schedule.id, show_schedule)


@api.get("/schedule/{schedule_id}")
async def read_schedule(request: Request, schedule_id: RowId) -> ScheduleView:
    """Read a schedule."""
    return show_schedule(
        await request.workbench.store.read(Schedule.get_owned, request.user_id, schedule_id)
    )


@api.post("/schedule/{schedule_id}/pause", status=200)
async def pause(request: Request, schedule_id: RowId) -> ScheduleView:
    """Let nothing of a schedule fall due until it is resumed."""
    now = request.workbench.clock.now()
    return show_schedule(
        await request.workbench.store.write(pause_schedule, request.user_id, schedule_id, now)
    )


@api.post("/schedule/{schedule_id}/resume", status=200)
async def resume(request: Request, schedule_id: RowId) -> ScheduleView:
    """Let a paused schedule fall due again; what passed meanwhile is not made up for."""
    workbench = request.workbench
    schedule = await workbench.store.write(
        resume_schedule, request.user_id, schedule_id, workbench.clock.now()
    )
    workbench.scheduler.wake()
    return show_schedule(schedule)


@api.delete("/schedule/{schedule_id}")
async def delete(request: Request, schedule_id: RowId) -> None:
    """Delete a schedule with the record of its runs; their notes and events stay."""
    await request.workbench.store.write(delete_schedule, request.user_id, schedule_id)


@api.get("/schedule/{schedule_id}/runs")
async def list_runs(
    request: Request, schedule_id: RowId, limit: Limit = 100, cursor: Cursor = None
) -> Page[RunView]:
    """List what became of each due instant of a schedule, the newest first."""
    rows = await request.workbench.store.read(
        select_runs, request.user_id, schedule_id, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda run: run.id, show_run)


def _check_parameters(kinds: Mapping[str, JobKind], body: NewSchedule) -> str:
    """Return the parameters of the job as JSON, once they are what its kind needs."""
    kind = kinds.get(body.job)
    if kind is None:
        raise InvalidInput(
            InputProblem(f"there is no such job; choose from {', '.join(sorted(kinds))}", "#/job")
        )
    given = dict(body.parameters)
    if body.prompt is not None:
        given["prompt"] = body.prompt
    try:
        return kind.parameters.model_validate(given).model_dump_json()
    except ValidationError as error:
        raise InvalidInput.from_validation(error, _point_to) from error


def _point_to(location: Location) -> str:
    return "#/prompt" if location == ("prompt",) else point_to(("parameters", *location))
