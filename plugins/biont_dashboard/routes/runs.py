"""Pages of runs: one run, and two runs side by side."""

from __future__ import annotations

import asyncio

from aiohttp import web

from biont import Request, RowId
from biont_dashboard.dialect import make_api
from biont_dashboard.page import DashboardPage
from biont_dashboard.routes.schedules import SCHEDULES, open_schedule
from biont_dashboard.run_details import RunDetails, read_run
from biont_dashboard.visit import Object

api = make_api()


@api.get("/dashboard/schedules/{schedule_id}/runs/{run_id}")
async def show_run(request: Request, schedule_id: RowId, run_id: RowId) -> web.Response:
    """Show a run: the prompt, the answer, the model calls and their cost."""
    page, schedule = await open_schedule(request, schedule_id)
    run = await read_run(page, schedule, run_id)
    others = await page.read_rows(f"{SCHEDULES}/{schedule_id}/runs", limit=30)
    return await page.render(
        "schedules/run.html",
        panels_of="run",
        schedule=schedule,
        one=run,
        others=[other for other in others if other["id"] != run_id],
    )


@api.get("/dashboard/schedules/{schedule_id}/compare")
async def compare_runs(request: Request, schedule_id: RowId, a: RowId, b: RowId) -> web.Response:
    """Show two runs side by side."""
    page, schedule = await open_schedule(request, schedule_id)
    first, second = await _read_both(page, schedule, (a, b))
    return await page.render("schedules/compare.html", schedule=schedule, both=(first, second))


async def _read_both(
    page: DashboardPage, schedule: Object, ids: tuple[int, int]
) -> tuple[RunDetails, RunDetails]:
    first, second = ids
    return await asyncio.gather(read_run(page, schedule, first), read_run(page, schedule, second))
