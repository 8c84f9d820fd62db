"""What became of attempts: their record, and what it means for delivery and webhook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from biont import JsonObject, Transaction
from biont.store import execute_sql
from biont_webhooks.delivery.deliveries import PendingDelivery
from biont_webhooks.tables import (
    AttemptTrigger,
    ClaimState,
    DeliveryStatus,
    Webhook,
    WebhookStatus,
)

GIVE_UP_AFTER = timedelta(days=5)
"""How long a webhook may fail before it is disabled."""


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """An attempt that was made.

    Attributes:
        owed: what was attempted.
        attempted_at: when it began.
        duration: how long it took, in seconds.
        status_code: of the answer; None when there was none.
        error: what went wrong; None for a success.
        answer: the first bytes of the answer's body.
        retry_at: when it is to be attempted again; None for no more.
        is_gone: whether the receiver wants no more deliveries at all.
    """

    owed: PendingDelivery
    attempted_at: datetime
    duration: float
    status_code: int | None
    error: str | None
    answer: bytes = b""
    retry_at: datetime | None = None
    is_gone: bool = False

    @property
    def status(self) -> DeliveryStatus:
        """What it means for the delivery."""
        if self.error is None:
            return DeliveryStatus.SUCCEEDED
        return DeliveryStatus.FAILED if self.retry_at is None else DeliveryStatus.PENDING


_UPDATE_DELIVERIES = f"""
    UPDATE webhook_deliveries
    SET status = j.value ->> 1, due_at = j.value ->> 2, attempts = attempts + 1,
        claimed = {ClaimState.FREE}, "trigger" = j.value ->> 3
    FROM json_each(?) AS j
    WHERE webhook_deliveries.id = j.value ->> 0 AND webhook_id = j.value ->> 4
"""  # noqa: S608  # a constant

_INSERT_ATTEMPTS = """
    INSERT INTO webhook_attempts (delivery_id, "trigger", redelivered, attempted_at, duration_ms,
        status_code, error, answer)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
        value ->> 6, value ->> 7
    FROM json_each(?)
    WHERE EXISTS (
        SELECT 1 FROM webhook_deliveries WHERE id = value ->> 0 AND webhook_id = value ->> 8)
"""

_NOTE_SUCCESS = """
    UPDATE webhooks SET failing_since = NULL
    WHERE id IN (SELECT value FROM json_each(?)) AND failing_since IS NOT NULL
"""

_NOTE_FAILURE = """
    UPDATE webhooks SET failing_since = j.value ->> 1
    FROM json_each(?) AS j WHERE webhooks.id = j.value ->> 0 AND failing_since IS NULL
"""

_FIND_HOPELESS = f"""
    SELECT json_group_array(id) FROM webhooks
    WHERE id IN (SELECT value FROM json_each(?)) AND status = '{WebhookStatus.ACTIVE}'
        AND failing_since <= ?
"""  # noqa: S608  # a constant


def save_results(tx: Transaction, outcomes: Sequence[AttemptResult]) -> list[Webhook]:
    """Record attempts; return the webhooks that were disabled because of them.

    A webhook is disabled when its receiver says that it is gone, or when nothing has
    succeeded for `GIVE_UP_AFTER`; an event tells of it.
    """
    execute_sql(_UPDATE_DELIVERIES, _encode([_to_change(outcome) for outcome in outcomes]))
    execute_sql(_INSERT_ATTEMPTS, _encode([_to_attempt(outcome) for outcome in outcomes]))
    last = {outcome.owed.webhook_id: outcome for outcome in outcomes}
    succeeded = [number for number, outcome in last.items() if outcome.error is None]
    failed = {number: outcome for number, outcome in last.items() if outcome.error is not None}
    execute_sql(_NOTE_SUCCESS, orjson.dumps(succeeded).decode())
    if not failed:
        return []
    first = [(number, str(outcome.attempted_at)) for number, outcome in failed.items()]
    execute_sql(_NOTE_FAILURE, _encode(first))
    return [
        _disable(tx, webhook, reason)
        for webhook_id, reason in _find_hopeless(list(failed.values())).items()
        for webhook in Webhook.select().where(
            Webhook.id == webhook_id, Webhook.status == WebhookStatus.ACTIVE
        )
    ]


def _to_change(outcome: AttemptResult) -> tuple[object, ...]:
    retry_at = None if outcome.retry_at is None else str(outcome.retry_at)
    trigger = outcome.owed.trigger if retry_at is None else AttemptTrigger.RETRY
    return outcome.owed.id, outcome.status, retry_at, trigger, outcome.owed.webhook_id


def _to_attempt(outcome: AttemptResult) -> tuple[object, ...]:
    return (
        outcome.owed.id,
        outcome.owed.trigger,
        int(outcome.owed.redelivered),
        str(outcome.attempted_at),
        round(outcome.duration * 1000),
        outcome.status_code,
        None if outcome.error is None else outcome.error.encode(errors="replace").decode(),
        outcome.answer.decode(errors="replace"),
        outcome.owed.webhook_id,
    )


def _find_hopeless(failed: Sequence[AttemptResult]) -> dict[int, str]:
    reasons = {
        outcome.owed.webhook_id: "the receiver answered 410 Gone"
        for outcome in failed
        if outcome.is_gone
    }
    numbers = orjson.dumps([outcome.owed.webhook_id for outcome in failed]).decode()
    limit = max(outcome.attempted_at for outcome in failed) - GIVE_UP_AFTER
    (found,) = execute_sql(_FIND_HOPELESS, numbers, str(limit)).fetchone()
    for webhook_id in orjson.loads(found):
        reasons.setdefault(webhook_id, f"nothing has succeeded for {GIVE_UP_AFTER.days} days")
    return reasons


def _disable(tx: Transaction, webhook: Webhook, reason: str) -> Webhook:
    webhook.status = WebhookStatus.DISABLED
    webhook.disabled_reason = reason
    webhook.save()
    payload: JsonObject = {"webhook_id": webhook.id, "url": webhook.url, "reason": reason}
    tx.emit("webhook_disabled", webhook.user_id, payload)
    return webhook


def _encode(rows: Sequence[tuple[object, ...]]) -> str:
    return orjson.dumps(rows).decode()
