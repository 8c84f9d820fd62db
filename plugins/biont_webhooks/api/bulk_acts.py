"""Begin of the operations on the deliveries of a webhook, and their dry runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from biont import Request, Transaction, Workbench
from biont.operations import Operation, OperationView, Part, make_operation_view
from biont_webhooks.api.delivery_schemas import DeliveryCount
from biont_webhooks.service.bulk_acts import WEBHOOK_DELETE, ActParameters
from biont_webhooks.service.webhooks import WEBHOOKS
from biont_webhooks.tables import Webhook

_COUNTED = 500
"""The rows that one read counts."""


async def begin_act(request: Request, kind: str, parameters: ActParameters) -> OperationView:
    """Begin an operation on a webhook of the caller; return the operation.

    Raises:
        NotFound: the user has no such webhook.
        Conflict: too many operations of the user are running.
    """
    user_id, webhook_id = request.user_id, parameters.webhook_id

    def begin(tx: Transaction) -> Operation:
        Webhook.get_owned(user_id, webhook_id)
        subject = _make_subject(webhook_id)
        return request.workbench.operations.begin(tx, user_id, kind, subject, parameters)

    return make_operation_view(await request.workbench.store.transact(begin))


async def count_deliveries(
    request: Request,
    parameters: ActParameters,
    count: Callable[[Part, Workbench], Awaitable[tuple[int, str | None]]],
) -> DeliveryCount:
    """Return the number of deliveries that an operation would make pending.

    Args:
        request: the request of the caller.
        parameters: the parameters of the operation.
        count: counts the deliveries of one part; returns the cursor of the next part, too.
    """
    workbench, total = request.workbench, 0
    begun_at = workbench.clock.now()
    part = Part(0, request.user_id, begun_at, parameters.model_dump_json(), None, _COUNTED)
    while True:
        number, cursor = await count(part, workbench)
        total += number
        if cursor is None:
            return DeliveryCount(count=total, dry_run=True)
        part = replace(part, cursor=cursor)


async def begin_deletion(request: Request, webhook_id: int) -> None:
    """Delete a webhook of the caller, cancel its operations, and begin to delete its deliveries.

    Raises:
        NotFound: the user has no such webhook.
        Conflict: too many operations of the user are running.
    """
    operations, user_id = request.workbench.operations, request.user_id

    def begin(tx: Transaction) -> None:
        request.workbench.get(WEBHOOKS).delete(tx, user_id, webhook_id)
        subject = _make_subject(webhook_id)
        operations.cancel_all(tx, user_id, subject)
        parameters = ActParameters(webhook_id=webhook_id)
        operations.begin(tx, user_id, WEBHOOK_DELETE, subject, parameters)

    await request.workbench.store.transact(begin)


def _make_subject(webhook_id: int) -> str:
    return f"/api/v1/webhooks/outgoing/{webhook_id}"
