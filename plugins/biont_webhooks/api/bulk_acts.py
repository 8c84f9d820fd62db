"""Begin of the operations on the deliveries of a webhook."""

from __future__ import annotations

from biont import Request, Transaction
from biont.operations import Operation, OperationView, make_operation_view
from biont_webhooks.service.bulk_acts import WEBHOOK_DELETE, ActParameters
from biont_webhooks.service.webhooks import WEBHOOKS
from biont_webhooks.tables import Webhook


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
