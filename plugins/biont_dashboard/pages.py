"""Routes of all pages, in the order of their areas."""

from __future__ import annotations

from aiohttp import web

from biont import Request
from biont.exceptions import NotFound
from biont_dashboard.acts import api as acts_api
from biont_dashboard.dialect import make_api
from biont_dashboard.routes.doors import api as doors_api
from biont_dashboard.routes.home import api as home_api
from biont_dashboard.routes.palette import api as palette_api
from biont_dashboard.routes.panel_pages import api as panel_pages_api
from biont_dashboard.routes.sign_in import api as sign_in_api

api = make_api()

for _part in (
    sign_in_api,
    acts_api,
    doors_api,
    palette_api,
    panel_pages_api,
    home_api,
):
    api.include(_part)


@api.get("/dashboard/{path:.*}")
async def refuse_path(_: Request, path: str) -> web.Response:
    """Refuse a path that no page has."""
    raise NotFound(f"there is no page /dashboard/{path[:100]}")
