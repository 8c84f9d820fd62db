"""Pages of dead letters: events that a handler could not handle."""

from __future__ import annotations

from aiohttp import web
from pydantic import JsonValue

from biont import Request, RowId
from biont_dashboard.dialect import make_api
from biont_dashboard.page import open_page
from biont_dashboard.query_texts import QueryText, read_filtered, to_field, to_instant

LETTERS = "/api/v1/dead-letters"

api = make_api()


@api.get("/dashboard/dead-letters")
async def show_dead_letters(
    request: Request,
    handler: QueryText = "",
    since: QueryText = "",
    until: QueryText = "",
    count: QueryText = "",
) -> web.Response:
    """Show the dead letters, and the number of those that a replay of all would replay."""
    page = await open_page(request)
    chosen: dict[str, JsonValue] = {
        name: value
        for name, value in (
            ("handler", handler or None),
            ("since", to_instant(since)),
            ("until", to_instant(until)),
        )
        if value is not None
    }
    listing, problem = await read_filtered(
        page,
        LETTERS,
        handler=handler or None,
        since=to_instant(since),
        until=to_instant(until),
        limit=50,
    )
    number: JsonValue = None
    if count and not page.is_read_only:
        answer = await page.call("POST", f"{LETTERS}/replay", body={**chosen, "dry_run": True})
        found = answer.read_json()
        number = found.get("count") if isinstance(found, dict) else None
    here = page.http.rel_url.without_query_params("cursor")
    return await page.render(
        "dead_letters/list.html",
        status=422 if problem else 200,
        filter_problem=problem,
        panels_of="dead-letters",
        listing=listing,
        handlers=sorted({str(row["handler"]) for row in listing.rows} | ({handler} - {""})),
        body=chosen,
        number=number,
        count_href=str(here.update_query(count="yes")),
        list_href=str(here.without_query_params("count")),
        chosen={"handler": handler, "since": to_field(since), "until": to_field(until)},
    )


@api.get("/dashboard/dead-letters/{letter_id}")
async def show_dead_letter(request: Request, letter_id: RowId) -> web.Response:
    """Show a dead letter with the traceback and the event."""
    page = await open_page(request)
    letter = await page.read(f"{LETTERS}/{letter_id}")
    return await page.render(
        "dead_letters/one.html",
        panels_of="dead-letter",
        letter=letter,
        path=f"{LETTERS}/{letter_id}",
        has_log=page.has_plugin("audit"),
    )
