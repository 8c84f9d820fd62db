"""Route of the home page."""

from __future__ import annotations

from aiohttp import web

from biont import Request
from biont_dashboard.dialect import make_api
from biont_dashboard.overview import HALF, read_overview
from biont_dashboard.page import open_page

api = make_api()

_MARKS = 5


@api.get("/dashboard")
async def show_home(request: Request) -> web.Response:
    """Show what needs a person, what runs, and what comes next."""
    page = await open_page(request)
    now = request.workbench.clock.now()
    overview = await read_overview(page, now)
    steps = [index / (_MARKS - 1) for index in range(_MARKS)]
    marks = [(x, f"{now - HALF + 2 * HALF * x:%H:%M}") for x in steps]
    return await page.render("home.html", panels_of="home", overview=overview, marks=marks)
