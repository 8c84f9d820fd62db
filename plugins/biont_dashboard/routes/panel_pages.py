"""Routes of the pages that panels of plugins fill."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from biont import Request
from biont_dashboard.dialect import make_api
from biont_dashboard.page import open_page
from biont_dashboard.panels import find_panel, render_panel

api = make_api()


@api.get("/dashboard/panels/{name}")
async def show_panel(
    request: Request, name: Annotated[str, Field(max_length=100)]
) -> web.Response:
    """Show a panel as a page of its own."""
    page = await open_page(request)
    panel = find_panel(page, "nav", name)
    rendered = await render_panel(page, panel, page.make_values())
    return await page.render("panel_page.html", panel=rendered)
