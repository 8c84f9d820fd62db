"""Route of the command palette."""

from __future__ import annotations

from typing import Annotated

import orjson
from aiohttp import web
from pydantic import Field

from biont import Request
from biont_dashboard.dialect import make_api, wants_json
from biont_dashboard.page import open_page
from biont_dashboard.palette import search

api = make_api()


@api.get("/dashboard/palette")
async def search_everything(
    request: Request, q: Annotated[str, Field(max_length=200)] = ""
) -> web.Response:
    """Return the pages and objects that match a text: as JSON for the script, else as a page."""
    page = await open_page(request)
    hits = await search(page, q)
    if wants_json(request.http):
        found = [hit._asdict() for hit in hits]
        return web.Response(body=orjson.dumps(found), content_type="application/json")
    return await page.render("palette.html", query=q, hits=hits)
