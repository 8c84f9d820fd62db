"""Begin of the operations on the deliveries of a webhook."""

from __future__ import annotations

from collections.abc import Callable

from biont import Request, Transaction
from biont.operations import Operation, OperationView, make_operation_view
from biont_webhooks.service.bulk_acts import ActParameters
from biont_webhooks.tables import Webhook


async def begin_act(
    request: Request,
    kind: str,
    parameters: ActParameters,
    before: Callable[[Transaction], None] = lambda _: None,
) -> OperationView:
    """Begin an operation on a webhook of the caller; return the operation.

    Args:
        request: the request.
        kind: the operation kind.
        parameters: the parameters of the operation.
        before: makes changes in the transaction in which the operation begins.

    Raises:
        NotFound: the user has no such webhook.
        Conflict: too many operations of the user are running.
    """
    operations = request.workbench.operations
    webhook_id = parameters.webhook_id

    def begin(tx: Transaction) -> Operation:
        Webhook.get_owned(request.user_id, webhook_id)
        before(tx)
        subject = f"/api/v1/webhooks/outgoing/{webhook_id}"
        return operations.begin(tx, request.user_id, kind, subject, parameters)

    return make_operation_view(await request.workbench.store.transact(begin))
