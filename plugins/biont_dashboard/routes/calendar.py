"""Page of the calendar: past runs and coming occurrences, by month or week."""

from __future__ import annotations

from datetime import date as Date  # noqa: N812  # `date` is the parameter
from typing import Literal

from aiohttp import web

from biont import Request
from biont.exceptions import InputProblem, InvalidInput
from biont_dashboard.calendar_days import make_calendar
from biont_dashboard.dialect import make_api
from biont_dashboard.page import open_page
from biont_dashboard.query_texts import QueryText

api = make_api()


@api.get("/dashboard/schedules/calendar")
async def show_calendar(
    request: Request, view: Literal["month", "week"] = "month", date: QueryText = ""
) -> web.Response:
    """Show the calendar of a month or a week, in the time zone of the user."""
    page = await open_page(request, plugin="schedules")
    zone = await request.workbench.find_time_zone(request.user_id)
    calendar = await make_calendar(page, view, _read_date(date), zone)
    return await page.render("schedules/calendar.html", panels_of="calendar", calendar=calendar)


def _read_date(text: str) -> Date | None:
    if not text:
        return None
    try:
        found = Date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(InputProblem("must be a date: 2026-03-02", "date")) from error
    if not 1971 <= found.year <= 9000:
        raise InvalidInput(InputProblem("must lie between 1971 and 9000", "date"))
    return found
