"""Page of a delivery: its attempts, and the request."""

from __future__ import annotations

from aiohttp import web

from biont import Request, RowId
from biont_dashboard.dialect import make_api
from biont_dashboard.routes.webhooks import describe_webhook, open_webhook
from biont_dashboard.visit import list_objects
from biont_dashboard.webhook_paths import WEBHOOKS

api = make_api()


@api.get("/dashboard/webhooks/{webhook_id}/deliveries/{delivery_id}")
async def show_delivery(request: Request, webhook_id: RowId, delivery_id: RowId) -> web.Response:
    """Show a delivery with its attempts and its request."""
    page, health = await open_webhook(request, webhook_id)
    path = f"{WEBHOOKS}/{webhook_id}/deliveries/{delivery_id}"
    delivery = await page.read(path)
    # None for a test, which is no event, and for a key that may not see signed requests.
    explained = await page.read_or_none(
        f"{WEBHOOKS}/explain", event_id=str(delivery["event_id"]), webhook_id=webhook_id
    )
    webhooks = [] if explained is None else list_objects(explained, "webhooks")
    return await page.render(
        "webhooks/delivery.html",
        panels_of="delivery",
        **describe_webhook(health, ""),
        delivery=delivery,
        attempts=list_objects(delivery, "attempts"),
        path=path,
        body=None if explained is None else explained["body"],
        explanation=webhooks[0] if webhooks else None,
        has_log=page.has_plugin("audit"),
    )
