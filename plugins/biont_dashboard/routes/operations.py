"""Pages of operations: acts on many things, with their progress."""

from __future__ import annotations

import re

from aiohttp import web

from biont import Request, RowId
from biont_dashboard.dialect import make_api
from biont_dashboard.page import open_page
from biont_dashboard.query_texts import QueryText, read_filtered
from biont_dashboard.visit import Object

OPERATIONS = "/api/v1/operations"
_SUBJECTS = (
    (re.compile(r"/api/v1/webhooks/outgoing/(\d+)"), "webhook {}", "/dashboard/webhooks/{}"),
    (re.compile(r"/api/v1/dead-letters()"), "dead letters", "/dashboard/dead-letters"),
    (re.compile(r"/api/v1/notes()"), "notes", "/dashboard/notes"),
    (re.compile(r"/api/v1/missions/(\d+).*"), "mission {}", "/dashboard/missions/{}"),
    (re.compile(r"/api/v1/tasks()"), "tasks", "/dashboard/missions"),
)

api = make_api()


@api.get("/dashboard/operations")
async def show_operations(
    request: Request, status: QueryText = "", kind: QueryText = ""
) -> web.Response:
    """Show the operations, the newest first."""
    page = await open_page(request)
    listing, problem = await read_filtered(
        page, OPERATIONS, status=status or None, kind=kind or None, limit=50
    )
    return await page.render(
        "operations/list.html",
        status=422 if problem else 200,
        filter_problem=problem,
        listing=listing,
        operations=listing.rows,
        chosen={"status": status, "kind": kind},
        kinds=sorted({str(row["kind"]) for row in listing.rows} | ({kind} - {""})),
    )


@api.get("/dashboard/operations/{operation_id}")
async def show_operation(request: Request, operation_id: RowId) -> web.Response:
    """Show an operation with its progress."""
    page = await open_page(request)
    operation = await page.read(f"{OPERATIONS}/{operation_id}")
    title, href = _find_subject(operation)
    return await page.render(
        "operations/one.html", operation=operation, subject=title, subject_href=href
    )


def _find_subject(operation: Object) -> tuple[str, str]:
    """Return the words and the page of the object that an operation is about."""
    subject = str(operation["subject"])
    for pattern, title, href in _SUBJECTS:
        found = pattern.fullmatch(subject)
        if found:
            return title.format(found[1]), href.format(found[1])
    return subject, ""
