"""REST routes that read the event log: explain and replay."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from biont import Api, Request, RowId, Workbench
from biont.exceptions import Conflict, PluginError
from biont.http import Cursor, Limit, decode_cursor, make_page
from biont.operations import OperationView
from biont_audit import EVENT_LOG, EventLog
from biont_webhooks.api.bulk_acts import begin_act, count_deliveries
from biont_webhooks.api.delivery_schemas import DeliveryCount, ReplayRequest
from biont_webhooks.api.narrowing import check_webhook, may_read_event
from biont_webhooks.api.routes import SCOPES, WEBHOOK
from biont_webhooks.delivery.deliveries import make_body
from biont_webhooks.service.bulk_acts import WEBHOOK_REPLAY, ReplayParameters, count_replay
from biont_webhooks.service.explain import EventExplanation, explain_event

EventId = Annotated[str, Field(max_length=100)]

api = Api("webhooks")


@api.get(
    "/webhooks/outgoing/explain",
    scopes=SCOPES,
    # The signed requests would let a reader post as the workbench.
    readable=False,
    problems=(404,),
    operation="explain_event",
)
async def explain(
    request: Request,
    event_id: EventId,
    webhook_id: RowId | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> EventExplanation:
    """Explain why each of your webhooks, in its present state, receives an event or not.

    For each webhook that receives the event, the answer shows the exact request that would be
    made now. `webhook_id` limits the answer to one webhook. A key that is narrowed to some
    `events` may ask for these only. A key of scope `webhook` gets the `body` only if a webhook of
    its user subscribes to the event type.
    """
    workbench = request.workbench
    event = await get_event_log(workbench).find_event(request.user_id, event_id)
    request.use_events([event.event_type])
    rows = await workbench.store.read(
        explain_event,
        event,
        workbench.vault,
        workbench.clock.now(),
        limit,
        decode_cursor(cursor),
        webhook_id,
    )
    is_readable = await may_read_event(request, event.event_type)
    page = make_page(rows, limit, lambda row: row.webhook_id, lambda row: row)
    return EventExplanation(
        event_id=event.id,
        event_type=event.event_type,
        body=make_body(event).decode() if is_readable else None,
        webhooks=page.data,
        next=page.next,
    )


@api.post(
    f"{WEBHOOK}/replay",
    scopes=SCOPES,
    status=202,
    location="/operations/{id}",
    example={"since": "2026-01-31T09:00:00Z"},
)
async def replay_events(
    request: Request, webhook_id: RowId, body: ReplayRequest
) -> OperationView | DeliveryCount:
    """Create the missing deliveries of past events for a webhook.

    Replay makes up for events from the time when the webhook was paused, disabled or not yet
    registered. Existing deliveries stay as they are; see `recover` and `resend`. Events that are
    emitted after the request are no part of the replay.

    The act is an operation of the kind `webhook_replay`, which `Location` names. Deliveries begin
    at once, the oldest events first. A repeated request gets the operation that still runs. A dry
    run begins nothing: the answer is the number of missing deliveries, without `Location`.
    """
    await check_webhook(request, webhook_id)
    get_event_log(request.workbench)
    parameters = ReplayParameters(webhook_id=webhook_id, **body.model_dump(exclude={"dry_run"}))
    if body.dry_run:
        return await count_deliveries(request, parameters, count_replay)
    return await begin_act(request, WEBHOOK_REPLAY, parameters)


def get_event_log(workbench: Workbench) -> EventLog:
    """Return the event log.

    Raises:
        Conflict: the plugin of the event log does not run.
    """
    try:
        return workbench.get(EVENT_LOG)
    except PluginError as error:
        raise Conflict(f"this request needs the event log: {error}") from error
