"""Routes of the pages of users, for administrators."""

from __future__ import annotations

from aiohttp import web

from biont import Request, RowId
from biont_dashboard.dialect import make_api
from biont_dashboard.page import need_admin, open_page

api = make_api()

_ROWS = 50


@api.get("/dashboard/users")
async def show_users(request: Request) -> web.Response:
    """Show all users."""
    page = await open_page(request)
    need_admin(page)
    listing = await page.read_list("/api/v1/users", limit=_ROWS)
    return await page.render("users/list.html", panels_of="users", listing=listing)


@api.get("/dashboard/users/{user_id}")
async def show_user(request: Request, user_id: RowId) -> web.Response:
    """Show a user, with all that an administrator can do."""
    page = await open_page(request)
    need_admin(page)
    user = await page.read(f"/api/v1/users/{user_id}")
    return await page.render("users/user.html", panels_of="user", user=user)
