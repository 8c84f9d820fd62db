"""Page of integrations: connections to other systems, and the messages that were sent."""

from __future__ import annotations

from aiohttp import web

from biont import Request
from biont_dashboard.dialect import make_api
from biont_dashboard.page import open_page
from biont_dashboard.query_texts import QueryText, read_filtered, to_field, to_instant

INTEGRATIONS = "/api/v1/integrations"

api = make_api()


@api.get("/dashboard/integrations")
async def show_integrations(
    request: Request, since: QueryText = "", until: QueryText = "", to: QueryText = ""
) -> web.Response:
    """Show the integrations, the sent messages, and the form of a message."""
    page = await open_page(request, plugin="integrations")
    integrations = await page.read_rows(INTEGRATIONS)
    listing, problem = await read_filtered(
        page,
        f"{INTEGRATIONS}/messages",
        since=to_instant(since),
        until=to_instant(until),
        limit=50,
    )
    names = [str(row["name"]) for row in integrations]
    return await page.render(
        "integrations/list.html",
        status=422 if problem else 200,
        filter_problem=problem,
        panels_of="integrations",
        integrations=integrations,
        listing=listing,
        to=to if to in names else None,
        chosen={"since": to_field(since), "until": to_field(until)},
        has_log=page.has_plugin("audit"),
    )
