"""REST routes that read the event log: explain and replay."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from biont import Api, Request, RowId, Workbench
from biont.events import find_pattern
from biont.exceptions import Conflict, PluginError
from biont.http import Cursor, Limit, decode_cursor, make_page
from biont_audit import EVENT_LOG, EventLog
from biont_webhooks.api.delivery_schemas import Count, ReplayRequest
from biont_webhooks.api.routes import SCOPES, WEBHOOK
from biont_webhooks.delivery.deliveries import make_body
from biont_webhooks.service.explain import EventExplanation, explain_event
from biont_webhooks.service.redelivery import SLICE, create_replays
from biont_webhooks.service.webhooks import WEBHOOKS
from biont_webhooks.subscription.subscriber import to_subscriber
from biont_webhooks.tables import Webhook

EventId = Annotated[str, Field(max_length=100)]

api = Api("webhooks")


@api.get("/webhooks/outgoing/explain", scopes=SCOPES, problems=(404,), operation="explain_event")
async def explain(
    request: Request, event_id: EventId, limit: Limit = 100, cursor: Cursor = None
) -> EventExplanation:
    """Explain why each of your webhooks, in its present state, receives an event or not.

    For each webhook that receives the event, the answer shows the exact request that would be
    made now.
    """
    workbench = request.workbench
    event = await _get_event_log(workbench).find_event(request.user_id, event_id)
    rows = await workbench.store.read(
        explain_event,
        event,
        workbench.vault,
        workbench.clock.now(),
        limit,
        decode_cursor(cursor),
    )
    page = make_page(rows, limit, lambda row: row.webhook_id, lambda row: row)
    return EventExplanation(
        event_id=event.id,
        event_type=event.event_type,
        body=make_body(event).decode(),
        webhooks=page.data,
        next=page.next,
    )


@api.post(
    f"{WEBHOOK}/replay", scopes=SCOPES, status=200, example={"since": "2026-01-31T09:00:00Z"}
)
async def replay_events(request: Request, webhook_id: RowId, body: ReplayRequest) -> Count:
    """Create the missing deliveries of past events for a webhook.

    Replay makes up for events from the time when the webhook was paused, disabled or not yet
    registered. Existing deliveries stay as they are; see `recover` and `resend`.
    """
    workbench, now = request.workbench, request.workbench.clock.now()
    log, webhooks = _get_event_log(workbench), workbench.get(WEBHOOKS)
    webhook = await workbench.store.read(Webhook.get_owned, request.user_id, webhook_id)
    subscriber = to_subscriber(webhook, workbench.vault)
    # Page by page: a log of years neither fits in memory nor in one write.
    count, after = 0, None
    while events := await log.read_events(
        request.user_id, since=body.since, until=body.until, after=after, limit=SLICE
    ):
        wanted = [
            event
            for event in events
            if find_pattern(body.event_types or ["*"], event.event_type)
            and subscriber.wants(event)
        ]
        if wanted:
            count += await webhooks.redeliver(
                create_replays, request.user_id, webhook_id, wanted, now
            )
        after = events[-1].id
    return Count(count=count)


def _get_event_log(workbench: Workbench) -> EventLog:
    try:
        return workbench.get(EVENT_LOG)
    except PluginError as error:
        raise Conflict(f"this request needs the event log: {error}") from error
