"""Pages of schedules: the list, one schedule, and the forms that make and change schedules."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from aiohttp import web

from biont import Request, RowId
from biont_dashboard.dialect import make_api
from biont_dashboard.page import DashboardPage, open_page
from biont_dashboard.query_texts import QueryText, read_filtered, to_field, to_instant
from biont_dashboard.schedule_forms import (
    ScheduleForm,
    open_new_form,
    open_present_form,
    read_schedule_form,
    view_form,
)
from biont_dashboard.schedule_simulation import ShownSimulation, simulate_form
from biont_dashboard.visit import Object

SCHEDULES = "/api/v1/schedule"
# As many rows as can show their last runs in one page without a noticeable wait.
_PAGE = 20
_SQUARES = 12
# The instant in UTC and by the zone's clock, as explanations write them.
_INSTANTS = re.compile(r"\S+Z \((\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\S* in [^)]+\)")
_FULL_MINUTES = re.compile(r"( \d\d:\d\d):00\b")

api = make_api()


@api.get("/dashboard/schedules")
async def show_schedules(request: Request) -> web.Response:
    """Show the schedules with their last runs."""
    page = await open_page(request, plugin="schedules")
    listing = await page.read_list(SCHEDULES, limit=_PAGE)
    runs = await asyncio.gather(
        *(page.read_rows(f"{SCHEDULES}/{row['id']}/runs", limit=_SQUARES) for row in listing.rows)
    )
    return await page.render(
        "schedules/list.html",
        panels_of="schedules",
        listing=listing,
        schedules=list(zip(listing.rows, runs, strict=True)),
    )


@api.get("/dashboard/schedules/new")
async def show_new_schedule(
    request: Request, kind: QueryText = "cron", prompt: QueryText = ""
) -> web.Response:
    """Show the form of a new schedule."""
    page = await open_page(request, plugin="schedules")
    return await _show_form(page, open_new_form(kind, prompt), None)


@api.post("/dashboard/schedules/new")
async def preview_new_schedule(request: Request, kind: QueryText = "cron") -> web.Response:
    """Show the form of a new schedule again, with the occurrences of its timing."""
    page = await open_page(request, plugin="schedules")
    return await _show_form(page, await read_schedule_form(page, kind), None)


@api.get("/dashboard/schedules/{schedule_id}/edit")
async def show_edit(request: Request, schedule_id: RowId, kind: QueryText = "") -> web.Response:
    """Show the form that changes a schedule."""
    page, schedule = await open_schedule(request, schedule_id)
    return await _show_form(page, open_present_form(schedule, kind), schedule)


@api.post("/dashboard/schedules/{schedule_id}/edit")
async def preview_edit(
    request: Request, schedule_id: RowId, kind: QueryText = "", simulate: bool = False
) -> web.Response:
    """Show the form of a schedule again, with the changed occurrences or a simulation."""
    page, schedule = await open_schedule(request, schedule_id)
    form = await read_schedule_form(page, kind)
    simulation = await simulate_form(page, form, schedule) if simulate else None
    return await _show_form(page, form, schedule, simulation)


@api.get("/dashboard/schedules/{schedule_id}")
async def show_schedule(
    request: Request,
    schedule_id: RowId,
    status: QueryText = "",
    since: QueryText = "",
    until: QueryText = "",
) -> web.Response:
    """Show a schedule: why it ran, what comes next, and its runs."""
    page, schedule = await open_schedule(request, schedule_id)
    path = f"{SCHEDULES}/{schedule_id}"
    (listing, problem), why, coming = await asyncio.gather(
        read_filtered(
            page,
            f"{path}/runs",
            status=status or None,
            since=to_instant(since),
            until=to_instant(until),
            limit=25,
        ),
        page.read(f"{path}/why"),
        page.read_rows(f"{SCHEDULES}/upcoming", schedule_id=schedule_id, limit=10),
    )
    return await page.render(
        "schedules/one.html",
        panels_of="schedule",
        status=422 if problem else 200,
        filter_problem=problem,
        schedule=schedule,
        href=f"/dashboard/schedules/{schedule_id}",
        api_path=path,
        listing=listing,
        why=[shorten_instants(each) for each in list_texts(why)],
        coming=coming,
        chosen={"status": status, "since": to_field(since), "until": to_field(until)},
    )


async def open_schedule(request: Request, schedule_id: int) -> tuple[DashboardPage, Object]:
    """Return the page of a schedule, and the schedule.

    Raises:
        NotFound: the user has no such schedule.
    """
    page = await open_page(request, plugin="schedules")
    return page, await page.read(f"{SCHEDULES}/{schedule_id}")


def list_texts(why: Object) -> Sequence[str]:
    """Return the sentences of an explanation."""
    sentences = why["sentences"]
    return [str(each) for each in sentences] if isinstance(sentences, list) else []


def shorten_instants(sentence: str) -> str:
    """Return a sentence with local times only, to the minute where nothing is lost."""
    local = _INSTANTS.sub(r"\1 \2", sentence)
    return _FULL_MINUTES.sub(r"\1", local)


async def _show_form(
    page: DashboardPage,
    form: ScheduleForm,
    schedule: Object | None,
    simulation: ShownSimulation | None = None,
) -> web.Response:
    view = await view_form(page, form, schedule)
    return await page.render(
        "schedules/form.html", schedule=schedule, form=form, view=view, simulation=simulation
    )
