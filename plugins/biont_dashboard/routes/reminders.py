"""Pages of reminders: the list with its buttons, and the form of a new one."""

from __future__ import annotations

from aiohttp import web

from biont import Request
from biont_dashboard.dialect import make_api
from biont_dashboard.page import open_page
from biont_dashboard.query_texts import QueryText

_KINDS = (("at", "Once"), ("every", "Every so often"), ("cron", "Cron"))

api = make_api()


@api.get("/dashboard/reminders")
async def show_reminders(request: Request) -> web.Response:
    """Show the reminders, the newest first."""
    page = await open_page(request, plugin="reminders")
    listing = await page.read_list("/api/v1/reminders", limit=30)
    return await page.render("reminders/list.html", panels_of="reminders", listing=listing)


@api.get("/dashboard/reminders/new")
async def show_new_reminder(request: Request, kind: QueryText = "at") -> web.Response:
    """Show the form of a new reminder."""
    page = await open_page(request, plugin="reminders")
    zone = await request.workbench.find_time_zone(request.user_id)
    chosen = kind if kind in dict(_KINDS) else "at"
    tabs = [
        (title, f"/dashboard/reminders/new?kind={name}", name == chosen) for name, title in _KINDS
    ]
    return await page.render("reminders/new.html", kind=chosen, tabs=tabs, zone=zone)
