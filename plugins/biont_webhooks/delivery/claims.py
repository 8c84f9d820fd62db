"""Which deliveries the running process has in its hands.

A delivery that is in memory is claimed in the table. A claim that is found at the
start is what a crash has left behind: the attempt may have been made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from biont.http import make_causation_headers
from biont.store import execute_sql
from biont_webhooks.delivery.deliveries import PendingDelivery
from biont_webhooks.tables import AttemptTrigger, ClaimState


@dataclass(frozen=True, slots=True)
class Claimed:
    """Deliveries of one webhook that are due, and what is to come.

    Attributes:
        owed: what was claimed, in the order in which it fell due.
        next_due: when the next of the others is due; None where there is none.
    """

    owed: Sequence[PendingDelivery]
    next_due: datetime | None


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

_CLAIM = f"""
    UPDATE webhook_deliveries SET claimed = {ClaimState.TAKEN}
    WHERE id IN (SELECT value FROM json_each(?))
"""  # noqa: S608  # a constant

_NEXT_DUE = """
    SELECT due_at FROM webhook_deliveries
    WHERE webhook_id = ? AND status = 'pending' AND due_at > ?
    ORDER BY due_at LIMIT 1
"""

_FIND_CREDITORS = """
    SELECT json_group_array(id) FROM webhooks
    WHERE status = 'active' AND EXISTS (
        SELECT 1 FROM webhook_deliveries WHERE webhook_id = webhooks.id AND status = 'pending')
"""

_DOUBT = f"""
    UPDATE webhook_deliveries SET claimed = {ClaimState.DOUBTFUL}
    WHERE status = 'pending' AND claimed = {ClaimState.TAKEN}
"""  # noqa: S608  # a constant

_RELEASE = f"""
    UPDATE webhook_deliveries SET claimed = ?
    WHERE id IN (SELECT value FROM json_each(?)) AND claimed = {ClaimState.TAKEN}
"""  # noqa: S608  # a constant


def claim_pending(webhook_id: int, now: datetime, limit: int) -> Claimed:
    """Take up to `limit` deliveries of a webhook that are due and nobody has."""
    (found,) = execute_sql(_SELECT_DUE, webhook_id, str(now), limit).fetchone()
    owed = [_to_owed(webhook_id, row) for row in orjson.loads(found)]
    if owed:
        execute_sql(_CLAIM, orjson.dumps([item.id for item in owed]).decode())
    if len(owed) == limit:
        return Claimed(owed, None)
    later = execute_sql(_NEXT_DUE, webhook_id, str(now)).fetchone()
    return Claimed(owed, None if later is None else datetime.fromisoformat(later[0]))


def release(delivery_ids: Sequence[int], claim: ClaimState) -> None:
    """Give back deliveries that were claimed, as never attempted or as doubtful."""
    execute_sql(_RELEASE, claim, orjson.dumps(list(delivery_ids)).decode())


def mark_interrupted_claims() -> None:
    """Mark what a former process had in its hands and could not give back."""
    execute_sql(_DOUBT)


def find_webhooks_with_pending() -> list[int]:
    """Return the active webhooks that are owed something."""
    found: list[int] = orjson.loads(execute_sql(_FIND_CREDITORS).fetchone()[0])
    return found


def _to_owed(webhook_id: int, row: Sequence[object]) -> PendingDelivery:
    number, event_id, body, correlation_id, hops, attempts, trigger, claimed = row
    assert isinstance(number, int)  # noqa: S101  # narrows the type for mypy
    assert isinstance(hops, int)  # noqa: S101  # likewise
    assert isinstance(attempts, int)  # noqa: S101  # likewise
    return PendingDelivery(
        number,
        webhook_id,
        str(event_id),
        str(body).encode(),
        {} if correlation_id is None else make_causation_headers(str(correlation_id), hops),
        attempts,
        AttemptTrigger(str(trigger)),
        redelivered=claimed == ClaimState.DOUBTFUL,
    )
