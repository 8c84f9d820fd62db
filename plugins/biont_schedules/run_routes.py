"""REST routes of the runs of a schedule."""

from __future__ import annotations

from biont import Api, Page, Request, RowId
from biont.exceptions import NotFound
from biont.http import AnyOf, ListQuery, make_page
from biont.scheduling import RunStatus, get_run
from biont.store import read_merged_page
from biont_schedules.run_views import RunView, make_run_view
from biont_schedules.schedules import select_runs

api = Api("schedule")


@api.get("/schedule/{schedule_id}/runs")
async def list_runs(
    request: Request,
    schedule_id: RowId,
    query: ListQuery,
    status: AnyOf[RunStatus] | None = None,
) -> Page[RunView]:
    """List the runs and skipped occurrences of a schedule, the newest first.

    Occurrences that did not run are in the list too, with the reason.
    """
    rows = await request.workbench.store.read(
        read_merged_page,
        status,
        query.limit,
        query.span,
        lambda each: select_runs(request.user_id, schedule_id, each, query.limit, query.span),
    )
    return make_page(rows, query.limit, lambda run: run.id, make_run_view)


@api.get("/schedule/{schedule_id}/runs/{run_id}")
async def read_run(request: Request, schedule_id: RowId, run_id: RowId) -> RunView:
    """Get a run.

    `result` is there as soon as the run has succeeded.
    """
    await _require_run_of_schedule(request, schedule_id, run_id)
    return make_run_view(await request.workbench.store.read(get_run, request.user_id, run_id))


@api.post("/schedule/{schedule_id}/runs/{run_id}/cancel", status=200)
async def cancel_run(request: Request, schedule_id: RowId, run_id: RowId) -> RunView:
    """Cancel a queued or active run; nothing that the job did is kept.

    The status is 409 if the run has ended.
    """
    await _require_run_of_schedule(request, schedule_id, run_id)
    return make_run_view(await request.workbench.scheduler.cancel_run(request.user_id, run_id))


@api.post("/schedule/{schedule_id}/runs/{run_id}/retry", narrowable=False, status=202)
async def retry_run(request: Request, schedule_id: RowId, run_id: RowId) -> RunView:
    """Retry an ended run that did not succeed.

    The status is 409 if the run has succeeded or has not ended, or if too many runs wait.
    """
    await _require_run_of_schedule(request, schedule_id, run_id)
    return make_run_view(await request.workbench.scheduler.retry_run(request.user_id, run_id))


async def _require_run_of_schedule(request: Request, schedule_id: int, run_id: int) -> None:
    run = await request.workbench.store.read(get_run, request.user_id, run_id)
    if run.schedule_id != schedule_id:
        raise NotFound(f"schedule {schedule_id} has no run {run_id}")
