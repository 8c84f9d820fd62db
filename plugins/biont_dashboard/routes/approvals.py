"""Page of approvals: the tool calls that wait for a decision, and the last decisions."""

from __future__ import annotations

import asyncio

from aiohttp import web

from biont import Request
from biont_dashboard.dialect import make_api
from biont_dashboard.page import open_page
from biont_dashboard.query_texts import QueryText, read_filtered
from biont_dashboard.tool_calls import find_missions, show_arguments

_CALLS = "/api/v1/tool-calls"
_DECIDED = ["queued", "succeeded", "failed", "refused", "rejected", "abandoned"]

api = make_api()


@api.get("/dashboard/approvals")
async def show_approvals(request: Request, status: QueryText = "") -> web.Response:
    """Show the tool calls that wait, and below the calls that were made or rejected."""
    page = await open_page(request, plugin="agents")
    waiting, (listing, problem) = await asyncio.gather(
        page.read_rows(_CALLS, status="waiting", limit=50, sort="created_at"),
        read_filtered(page, _CALLS, status=status or _DECIDED, limit=25),
    )
    return await page.render(
        "approvals/list.html",
        panels_of="approvals",
        status=422 if problem else 200,
        filter_problem=problem,
        waiting=await find_missions(page, [show_arguments(call) for call in waiting]),
        listing=listing,
        calls=[show_arguments(call) for call in listing.rows],
        statuses=_DECIDED,
        chosen=status,
    )
