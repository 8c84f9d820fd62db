"""Routes of the pages of API keys and sessions."""

from __future__ import annotations

import asyncio

from aiohttp import web

from biont import Request, RowId
from biont_dashboard.dialect import make_api
from biont_dashboard.page import open_page

api = make_api()

_ROWS = 50


@api.get("/dashboard/keys")
async def show_keys(request: Request) -> web.Response:
    """Show the API keys and the sessions of the user."""
    page = await open_page(request)
    listing, sessions = await asyncio.gather(
        page.read_list("/api/v1/keys", is_session=False, limit=_ROWS),
        page.read_rows("/api/v1/keys", is_session=True, limit=_ROWS),
    )
    return await page.render(
        "keys/list.html",
        panels_of="keys",
        listing=listing,
        sessions=[each for each in sessions if each["revoked_at"] is None],
        own_id=request.key_id,
        clock=request.workbench.clock.now().isoformat(),
    )


@api.get("/dashboard/keys/report")
async def show_key_report(request: Request) -> web.Response:
    """Show what each key has used, and the smaller key that would do."""
    page = await open_page(request)
    listing = await page.read_list("/api/v1/keys/report", limit=_ROWS)
    return await page.render("keys/report.html", listing=listing)


@api.get("/dashboard/keys/{key_id}")
async def show_key(request: Request, key_id: RowId) -> web.Response:
    """Show an API key, with all that can be done with it."""
    page = await open_page(request)
    key = await page.read(f"/api/v1/keys/{key_id}")
    return await page.render("keys/key.html", panels_of="key", key=key)
