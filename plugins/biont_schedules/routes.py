"""REST routes of schedules and runs."""

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
    make_preview_item,
    make_run_view,
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
from biont_schedules.views import NewSchedule, ScheduleChange, ScheduleView, make_schedule_view
from biont_schedules.why import explain_schedule

api = Api("schedule")


class Why(Schema):
    """Explanation why a schedule did, or did not, run."""

    sentences: list[str] = Field(
        description="Sentences; the first is about the state of the schedule."
    )


@api.post("/schedule")
async def create(request: Request, body: NewSchedule) -> ScheduleView:
    """Create a schedule for a prompt or another job."""
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
    request: Request, limit: Limit = 100, cursor: Cursor = None
) -> Page[ScheduleView]:
    """List your schedules, the newest first."""
    rows = await request.workbench.store.read(
        Schedule.read_page, request.user_id, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda schedule: schedule.id, make_schedule_view)


@api.get("/schedule/upcoming")
async def list_upcoming(request: Request, limit: Limit = 100) -> list[Upcoming]:
    """List the next occurrences of all your schedules, the soonest first."""
    found = await request.workbench.store.read(select_upcoming, request.user_id, limit)
    return [
        Upcoming(schedule_id=schedule.id, name=schedule.name, due_at=due_at)
        for due_at, schedule in found
    ]


@api.post("/schedule/preview", status=200)
async def preview(request: Request, body: PreviewRequest) -> PreviewAnswer:
    """Preview the occurrences of a timing; nothing is stored."""
    workbench = request.workbench
    start = body.start or workbench.clock.now()
    schedule = body.make_schedule(await workbench.find_time_zone(request.user_id), start)
    timing = read_timing(schedule)
    return PreviewAnswer(
        words=timing.describe(),
        time_zone=schedule.time_zone,
        instants=[make_preview_item(instant) for instant in timing.preview(start, body.count)],
    )


@api.get("/schedule/{schedule_id}")
async def read_schedule(request: Request, schedule_id: RowId) -> ScheduleView:
    """Get a schedule."""
    return make_schedule_view(
        await request.workbench.store.read(Schedule.get_owned, request.user_id, schedule_id)
    )


@api.patch("/schedule/{schedule_id}")
async def change(request: Request, schedule_id: RowId, body: ScheduleChange) -> ScheduleView:
    """Change a schedule; fields that are left out stay as they are."""
    workbench = request.workbench
    columns = body.list_columns()
    if body.name is not None:
        columns["name"] = body.name
    if body.prompt is not None or body.parameters is not None:
        present = await workbench.store.read(Schedule.get_owned, request.user_id, schedule_id)
        # Only a start changes the job kind of a schedule, so a read outside the write is safe.
        columns["parameters"] = check_parameters(
            workbench.get(JOB_KINDS), present.job_kind, body.parameters or {}, body.prompt
        )
    schedule = await workbench.store.write(
        change_schedule, request.user_id, schedule_id, columns, workbench.clock.now()
    )
    workbench.scheduler.wake()
    return make_schedule_view(schedule)


@api.post("/schedule/{schedule_id}/pause", status=200)
async def pause(request: Request, schedule_id: RowId) -> ScheduleView:
    """Pause a schedule: nothing is due until the schedule is resumed."""
    now = request.workbench.clock.now()
    return make_schedule_view(
        await request.workbench.store.write(pause_schedule, request.user_id, schedule_id, now)
    )


@api.post("/schedule/{schedule_id}/resume", status=200)
async def resume(request: Request, schedule_id: RowId) -> ScheduleView:
    """Resume a paused schedule; occurrences that passed meanwhile are not caught up."""
    workbench = request.workbench
    schedule = await workbench.store.write(
        resume_schedule, request.user_id, schedule_id, workbench.clock.now()
    )
    workbench.scheduler.wake()
    return make_schedule_view(schedule)


@api.delete("/schedule/{schedule_id}")
async def delete(request: Request, schedule_id: RowId) -> None:
    """Delete a schedule with its runs; notes and events of the runs stay."""
    await request.workbench.store.write(delete_schedule, request.user_id, schedule_id)


@api.post("/schedule/{schedule_id}/run-now", status=202)
async def run_now(request: Request, schedule_id: RowId) -> RunView:
    """Run a schedule now, also a paused or finished one."""
    return make_run_view(await request.workbench.scheduler.run_now(request.user_id, schedule_id))


@api.get("/schedule/{schedule_id}/why")
async def explain(request: Request, schedule_id: RowId, at: AwareDatetime | None = None) -> Why:
    """Explain why a schedule did, or did not, run: lately, or at one instant."""
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
    """List the runs and skipped occurrences of a schedule, the newest first."""
    rows = await request.workbench.store.read(
        select_runs, request.user_id, schedule_id, status, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda run: run.id, make_run_view)


@api.get("/schedule/{schedule_id}/runs/{run_id}")
async def read_run(request: Request, schedule_id: RowId, run_id: RowId) -> RunView:
    """Get a run."""
    await _require_run_of_schedule(request, schedule_id, run_id)
    return make_run_view(await request.workbench.store.read(get_run, request.user_id, run_id))


@api.post("/schedule/{schedule_id}/runs/{run_id}/cancel", status=200)
async def cancel_run(request: Request, schedule_id: RowId, run_id: RowId) -> RunView:
    """Cancel a queued or active run; nothing that the job did is kept."""
    await _require_run_of_schedule(request, schedule_id, run_id)
    return make_run_view(await request.workbench.scheduler.cancel_run(request.user_id, run_id))


@api.post("/schedule/{schedule_id}/runs/{run_id}/retry", status=202)
async def retry_run(request: Request, schedule_id: RowId, run_id: RowId) -> RunView:
    """Retry an ended run that did not succeed."""
    await _require_run_of_schedule(request, schedule_id, run_id)
    return make_run_view(await request.workbench.scheduler.retry_run(request.user_id, run_id))


async def _require_run_of_schedule(request: Request, schedule_id: int, run_id: int) -> None:
    run = await request.workbench.store.read(get_run, request.user_id, run_id)
    if run.schedule_id != schedule_id:
        raise NotFound(f"schedule {schedule_id} has no run {run_id}")
