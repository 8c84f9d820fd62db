"""REST routes of deliveries: list, read, test, resend and recover."""

from __future__ import annotations

from typing import Annotated

import uuid_utils
from pydantic import Field

from biont import Api, Event, Page, Request, RowId
from biont.http import AnyOf, Cursor, Instant, Limit, decode_cursor, make_page
from biont.operations import OperationView
from biont_webhooks.api.bulk_acts import begin_act, count_deliveries
from biont_webhooks.api.delivery_schemas import (
    DeliveryCount,
    DeliveryView,
    Recovery,
    make_delivery_view,
)
from biont_webhooks.api.narrowing import check_webhook
from biont_webhooks.api.routes import SCOPES, WEBHOOK
from biont_webhooks.service.bulk_acts import (
    WEBHOOK_RECOVER,
    RecoverParameters,
    count_recovery,
)
from biont_webhooks.service.redelivery import (
    DeliveryFilter,
    create_test_delivery,
    get_delivery,
    resend_delivery,
    select_deliveries,
)
from biont_webhooks.service.webhooks import WEBHOOKS
from biont_webhooks.subscription.event_patterns import EventPattern
from biont_webhooks.tables import DeliveryStatus, ErrorClass

DELIVERIES = f"{WEBHOOK}/deliveries"
DELIVERY = f"{DELIVERIES}/{{delivery_id}}"

api = Api("webhooks")


@api.get(DELIVERIES, scopes=SCOPES)
async def list_deliveries(  # noqa: PLR0913  # each is a parameter of the query
    request: Request,
    webhook_id: RowId,
    *,
    status: AnyOf[DeliveryStatus] | None = None,
    event_type: EventPattern = "*",
    event_id: Annotated[str, Field(max_length=100)] | None = None,
    status_code: Annotated[int, Field(ge=100, le=999)] | None = None,
    error_class: AnyOf[ErrorClass] | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[DeliveryView]:
    """List the deliveries of a webhook with all attempts, the newest first.

    `status` and `error_class` may be repeated: any of the values matches. `status_code` and
    `error_class` find the deliveries with such an attempt, and both together those with an
    attempt that has both. `since` and `until` limit the creation time of the deliveries. A page
    of a rare filter may have fewer deliveries than `limit`, or none; follow `next` until null.
    """
    await check_webhook(request, webhook_id)
    found = await request.workbench.store.read(
        select_deliveries,
        request.user_id,
        webhook_id,
        DeliveryFilter(
            statuses=frozenset(status or ()),
            event_type=event_type,
            event_id=event_id,
            status_code=status_code,
            error_classes=frozenset(error_class or ()),
            since=since,
            until=until,
        ),
        limit,
        decode_cursor(cursor),
    )
    return make_page(
        found.rows,
        limit,
        lambda row: row[0].id,
        lambda row: make_delivery_view(*row),
        scanned_to=found.end,
    )


@api.get(DELIVERY, scopes=SCOPES)
async def read_delivery(request: Request, webhook_id: RowId, delivery_id: RowId) -> DeliveryView:
    """Read a delivery with all attempts.

    Each attempt has its status code, its duration and the beginning of the answer.
    """
    await check_webhook(request, webhook_id)
    return make_delivery_view(
        *await request.workbench.store.read(get_delivery, request.user_id, webhook_id, delivery_id)
    )


@api.post(f"{WEBHOOK}/test", scopes=SCOPES, location=f"{DELIVERIES}/{{id}}")
async def send_test_event(request: Request, webhook_id: RowId) -> DeliveryView:
    """Create a test delivery of type `webhook_test` for this webhook alone.

    A test delivery is not an event: no other webhook and no handler receives the message. The
    delivery is signed and recorded like any other, and attempted once and at once: also while the
    webhook is paused or disabled, and while its endpoint waits.
    """
    await check_webhook(request, webhook_id)
    workbench = request.workbench
    now, message_id = workbench.clock.now(), str(uuid_utils.uuid7())
    payload = {"webhook_id": webhook_id}
    message = Event.uncaused(message_id, request.user_id, "webhook_test", payload, now)
    delivery_id = await workbench.get(WEBHOOKS).attempt_now(
        lambda webhook: create_test_delivery(webhook, message, now), request.user_id, webhook_id
    )
    return await read_delivery(request, webhook_id, delivery_id)


@api.post(f"{DELIVERY}/resend", scopes=SCOPES, status=200, operation="resend_delivery")
async def send_again(request: Request, webhook_id: RowId, delivery_id: RowId) -> DeliveryView:
    """Attempt a delivery once more and at once, in any status.

    The attempt is made also while the webhook is paused or disabled, and while its endpoint
    waits. A finished delivery gets one attempt without retries. A pending delivery is attempted
    now and keeps its further retries.
    """
    await check_webhook(request, webhook_id)
    webhooks = request.workbench.get(WEBHOOKS)
    await webhooks.attempt_now(
        lambda webhook: resend_delivery(webhook, delivery_id), request.user_id, webhook_id
    )
    return await read_delivery(request, webhook_id, delivery_id)


@api.post(
    f"{WEBHOOK}/recover",
    scopes=SCOPES,
    status=202,
    location="/operations/{id}",
    example={"since": "2026-01-31T09:00:00Z"},
)
async def recover_deliveries(
    request: Request, webhook_id: RowId, body: Recovery
) -> OperationView | DeliveryCount:
    """Attempt all failed deliveries of a webhook that were created since an instant once more.

    The act is an operation of the kind `webhook_recover`, which `Location` names. Attempts begin
    at once. A repeated request gets the operation that still runs. A dry run begins nothing: the
    answer is the number of failed deliveries, without `Location`.
    """
    await check_webhook(request, webhook_id)
    parameters = RecoverParameters(webhook_id=webhook_id, since=body.since)
    if body.dry_run:
        return await count_deliveries(request, parameters, count_recovery)
    return await begin_act(request, WEBHOOK_RECOVER, parameters)
