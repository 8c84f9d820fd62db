"""Claims: mark the deliveries that the running process holds in memory.

A pending delivery is in one of three states:

    FREE ---claimed by the dispatcher---> TAKEN ---result recorded---> FREE
                                            |
                                            | crash, or an attempt cut off at the stop
                                            v
                                         DOUBTFUL ---claimed again---> TAKEN

A crash leaves deliveries TAKEN. Only one process uses a database, so the next start knows that
each of these claims belongs to a dead process, and `mark_interrupted_claims` turns the claims
into DOUBTFUL: the attempt may or may not have arrived. The delivery is attempted again, and
that attempt is recorded with `redelivered`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import orjson

from biont.http import make_causation_headers
from biont.security import Vault
from biont.store import dump_json, execute_sql, format_instant
from biont_webhooks.delivery.deliveries import PendingDelivery
from biont_webhooks.subscription.subscriber import Subscriber, to_subscriber
from biont_webhooks.tables import AttemptTrigger, ClaimState, Webhook


@dataclass(frozen=True, slots=True)
class ClaimedBatch:
    """Deliveries of a webhook that were claimed together.

    Attributes:
        deliveries: the claimed deliveries, by due time.
        next_due: the due time of the next delivery that is not due yet; None for no such
            delivery, and for a full batch.
    """

    deliveries: Sequence[PendingDelivery]
    next_due: datetime | None


class _DueRow(NamedTuple):
    """A row of `_SELECT_DUE`."""

    id: int
    event_id: str
    body: str
    correlation_id: str | None
    hops: int
    attempts: int
    trigger: str
    claimed: int


# Statements take and give rows as one JSON text: each row that a cursor yields would give the
# interpreter lock away and wait for it again. NULL sorts first, so new deliveries precede retries.
_SELECT_DUE = f"""
    SELECT json_group_array(json_array(id, event_id, body, correlation_id, hops, attempts,
        "trigger", claimed))
    FROM (
        SELECT d.id, m.event_id, m.body, m.correlation_id, m.hops, d.attempts, d."trigger",
            d.claimed
        FROM webhook_deliveries AS d JOIN webhook_messages AS m ON m.event_id = d.message_id
        WHERE d.webhook_id = ? AND d.status = 'pending' AND d.claimed <> {ClaimState.TAKEN}
            AND (d.due_at IS NULL OR d.due_at <= ?)
        ORDER BY d.due_at, d.id
        LIMIT ?
    )
"""  # noqa: S608  # a constant

_SELECT_ONE = f"""
    SELECT d.id, m.event_id, m.body, m.correlation_id, m.hops, d.attempts, d."trigger", d.claimed
    FROM webhook_deliveries AS d JOIN webhook_messages AS m ON m.event_id = d.message_id
    WHERE d.id = ? AND d.webhook_id = ? AND d.status = 'pending'
        AND d.claimed <> {ClaimState.TAKEN}
"""  # noqa: S608  # a constant

_CLAIM = f"""
    UPDATE webhook_deliveries SET claimed = {ClaimState.TAKEN}
    WHERE id IN (SELECT value FROM json_each(?))
"""  # noqa: S608  # a constant

_NEXT_DUE = """
    SELECT due_at FROM webhook_deliveries
    WHERE webhook_id = ? AND status = 'pending' AND due_at > ?
    ORDER BY due_at LIMIT 1
"""

_FIND_WEBHOOKS_TO_WATCH = """
    SELECT json_group_array(id) FROM webhooks
    WHERE status = 'active' AND (waits_until IS NOT NULL OR EXISTS (
        SELECT 1 FROM webhook_deliveries WHERE webhook_id = webhooks.id AND status = 'pending'))
"""

_MARK_INTERRUPTED = f"""
    UPDATE webhook_deliveries SET claimed = {ClaimState.DOUBTFUL}
    WHERE status = 'pending' AND claimed = {ClaimState.TAKEN}
"""  # noqa: S608  # a constant

_RELEASE = f"""
    UPDATE webhook_deliveries SET claimed = ?
    WHERE id IN (SELECT value FROM json_each(?)) AND claimed = {ClaimState.TAKEN}
"""  # noqa: S608  # a constant


def claim_due_deliveries(webhook_id: int, now: datetime, limit: int) -> ClaimedBatch:
    """Claim up to `limit` due deliveries of a webhook that are not claimed yet."""
    instant = format_instant(now)
    (found,) = execute_sql(_SELECT_DUE, webhook_id, instant, limit).fetchone()
    deliveries = [_to_pending(webhook_id, _DueRow(*row)) for row in orjson.loads(found)]
    if deliveries:
        execute_sql(_CLAIM, dump_json([delivery.id for delivery in deliveries]))
    if len(deliveries) == limit:
        # More deliveries may be due already: the caller asks again, without waiting.
        return ClaimedBatch(deliveries, None)
    later = execute_sql(_NEXT_DUE, webhook_id, instant).fetchone()
    return ClaimedBatch(deliveries, None if later is None else datetime.fromisoformat(later[0]))


def claim_delivery(webhook_id: int, delivery_id: int) -> PendingDelivery | None:
    """Claim one pending delivery, due or not; return None if it is claimed or not pending."""
    row = execute_sql(_SELECT_ONE, delivery_id, webhook_id).fetchone()
    if row is None:
        return None
    execute_sql(_CLAIM, dump_json([delivery_id]))
    return _to_pending(webhook_id, _DueRow(*row))


def release_claims(delivery_ids: Sequence[int], state: ClaimState) -> None:
    """Give up the claims of some deliveries: FREE if never attempted, else DOUBTFUL."""
    execute_sql(_RELEASE, state, dump_json(list(delivery_ids)))


def mark_interrupted_claims() -> None:
    """Mark the claims of a process that died as doubtful."""
    execute_sql(_MARK_INTERRUPTED)


def find_webhooks_to_watch(vault: Vault) -> list[Subscriber]:
    """Return the active webhooks that have pending deliveries, or whose receiver wants a wait.

    Raises:
        VaultError: the secrets of a webhook cannot be read.
    """
    webhook_ids = orjson.loads(execute_sql(_FIND_WEBHOOKS_TO_WATCH).fetchone()[0])
    query = Webhook.select().where(Webhook.id.in_(webhook_ids))
    return [to_subscriber(webhook, vault) for webhook in query]


def _to_pending(webhook_id: int, row: _DueRow) -> PendingDelivery:
    # Messages from before events had causes have no correlation id.
    headers = (
        {} if row.correlation_id is None else make_causation_headers(row.correlation_id, row.hops)
    )
    return PendingDelivery(
        row.id,
        webhook_id,
        row.event_id,
        row.body.encode(),
        headers,
        row.attempts,
        AttemptTrigger(row.trigger),
        redelivered=row.claimed == ClaimState.DOUBTFUL,
    )
