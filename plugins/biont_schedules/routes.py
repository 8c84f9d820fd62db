"""The routes of schedules."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from biont import Api, Page, Request, RowId, Schema
from biont.exceptions import NotFound
from biont.http import Cursor, Limit, decode_cursor, make_page
from biont.scheduling import JOB_KINDS, RunStatus, Schedule, get_run
from biont_schedules.parameters import check_parameters
from biont_schedules.run_views import (
    PreviewAnswer,
    PreviewRequest,
    RunView,
    Upcoming,
    show_preview,
    show_run,
)
from biont_schedules.schedules import (
    change_schedule,
    delete_schedule,
    insert_schedule,
    pause_schedule,
    resume_schedule,
    select_runs,
    select_upcoming,
)
from biont_schedules.timing import list_all_columns, read_timing
from biont_schedules.views import NewSchedule, ScheduleChange, ScheduleView, show_schedule
from biont_schedules.why import explain_schedule

api = Api("schedule")


class Why(Schema):
    """Why a schedule did, or did not, run."""

    sentences: list[str] = Field(description="What is known, the most telling first.")


@api.post("/schedule")
async def create(request: Request, body: NewSchedule) -> ScheduleView:
    """Schedule a prompt, or another kind of job."""
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


@api.get("/schedule/upcoming")
async def list_upcoming(request: Request, limit: Limit = 100) -> list[Upcoming]:
    """List the next instants of all your schedules, the soonest first."""
    found = await request.workbench.store.read(select_upcoming, request.user_id, limit)
    return [
        Upcoming(schedule_id=schedule.id, name=schedule.name, due_at=due_at)
        for due_at, schedule in found
    ]


@api.post("/schedule/preview", status=200)
async def preview(request: Request, body: PreviewRequest) -> PreviewAnswer:
    """Say when a schedule would be due, without keeping it."""
    workbench = request.workbench
    start = body.start or workbench.clock.now()
    schedule = body.make_schedule(await workbench.find_time_zone(request.user_id), start)
    timing = read_timing(schedule)
    return PreviewAnswer(
        words=timing.describe(),
        time_zone=schedule.time_zone,
        instants=[show_preview(instant) for instant in timing.preview(start, body.count)],
    )


@api.get("/schedule/{schedule_id}")
async def read_schedule(request: Request, schedule_id: RowId) -> ScheduleView:
    """Read a schedule."""
    return show_schedule(
        await request.workbench.store.read(Schedule.get_owned, request.user_id, schedule_id)
    )


@api.patch("/schedule/{schedule_id}")
async def change(request: Request, schedule_id: RowId, body: ScheduleChange) -> ScheduleView:
    """Change a schedule; what is left out stays as it is."""
    workbench = request.workbench
    columns = body.list_columns()
    if body.name is not None:
        columns["name"] = body.name
    if body.prompt is not None or body.parameters is not None:
        present = await workbench.store.read(Schedule.get_owned, request.user_id, schedule_id)
        columns["parameters"] = check_parameters(
            workbench.get(JOB_KINDS), present.job_kind, body.parameters or {}, body.prompt
        )
    schedule = await workbench.store.write(
        change_schedule, request.user_id, schedule_id, columns, workbench.clock.now()
    )
    workbench.scheduler.wake()
    return show_schedule(schedule)


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


@api.post("/schedule/{schedule_id}/run-now", status=202)
async def run_now(request: Request, schedule_id: RowId) -> RunView:
    """Run a schedule for the present instant, also while it is paused or finished."""
    return show_run(await request.workbench.scheduler.run_now(request.user_id, schedule_id))


@api.get("/schedule/{schedule_id}/why")
async def explain(request: Request, schedule_id: RowId, at: AwareDatetime | None = None) -> Why:
    """Say why a schedule did, or did not, run: lately, or at one instant."""
    now = request.workbench.clock.now()
    user_id = request.user_id

    def read() -> list[str]:
        return explain_schedule(Schedule.get_owned(user_id, schedule_id), at, now)

    return Why(sentences=await request.workbench.store.read(read))


@api.get("/schedule/{schedule_id}/runs")
async def list_runs(
    request: Request,
    schedule_id: RowId,
    status: RunStatus | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[RunView]:
    """List what became of each due instant of a schedule, the newest first."""
    rows = await request.workbench.store.read(
        select_runs, request.user_id, schedule_id, status, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda run: run.id, show_run)


@api.get("/schedule/{schedule_id}/runs/{run_id}")
async def read_run(request: Request, schedule_id: RowId, run_id: RowId) -> RunView:
    """Read a run."""
    await _check_run(request, schedule_id, run_id)
    return show_run(await request.workbench.store.read(get_run, request.user_id, run_id))


@api.post("/schedule/{schedule_id}/runs/{run_id}/cancel", status=200)
async def cancel_run(request: Request, schedule_id: RowId, run_id: RowId) -> RunView:
    """End a run that waits or goes on; what its job was at is not kept."""
    await _check_run(request, schedule_id, run_id)
    return show_run(await request.workbench.scheduler.cancel_run(request.user_id, run_id))


@api.post("/schedule/{schedule_id}/runs/{run_id}/retry", status=202)
async def retry_run(request: Request, schedule_id: RowId, run_id: RowId) -> RunView:
    """Try a run again that has ended and did not succeed."""
    await _check_run(request, schedule_id, run_id)
    return show_run(await request.workbench.scheduler.retry_run(request.user_id, run_id))


async def _check_run(request: Request, schedule_id: int, run_id: int) -> None:
    run = await request.workbench.store.read(get_run, request.user_id, run_id)
    if run.schedule_id != schedule_id:
        raise NotFound(f"schedule {schedule_id} has no run {run_id}")
