"""Page of a webhook that checks the receiver."""

from __future__ import annotations

from aiohttp import web

from biont import Request, RowId
from biont.http import read_form
from biont_dashboard.dialect import make_api
from biont_dashboard.routes.webhooks import describe_webhook, open_webhook
from biont_dashboard.sessions import check_csrf_token
from biont_dashboard.visit import Object, list_objects
from biont_dashboard.webhook_paths import WEBHOOKS

api = make_api()


@api.get("/dashboard/webhooks/{webhook_id}/conformance")
async def show_check(request: Request, webhook_id: RowId) -> web.Response:
    """Show the button that checks the receiver of a webhook."""
    return await _show(request, webhook_id, None)


@api.post("/dashboard/webhooks/{webhook_id}/conformance")
async def check(request: Request, webhook_id: RowId) -> web.Response:
    """Check the receiver of a webhook, and show the report."""
    fields = dict(await read_form(request.http))
    check_csrf_token(request, fields.get("csrf"))
    page, _ = await open_webhook(request, webhook_id)
    answer = await page.call("POST", f"{WEBHOOKS}/{webhook_id}/conformance")
    found = answer.read_json()
    report = found if isinstance(found, dict) else {}
    return await _show(request, webhook_id, report, is_refused=not answer.is_ok)


async def _show(
    request: Request, webhook_id: int, report: Object | None, *, is_refused: bool = False
) -> web.Response:
    page, health = await open_webhook(request, webhook_id)
    return await page.render(
        "webhooks/conformance.html",
        **describe_webhook(health, "conformance"),
        report=None if is_refused else report,
        refusal=report if is_refused else None,
        cases=[] if report is None else list_objects(report, "cases"),
    )
