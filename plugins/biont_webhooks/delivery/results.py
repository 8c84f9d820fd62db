"""Results of attempts: their record, and the effect on the delivery and the webhook.

`save_results` changes deliveries, attempts and webhooks in one transaction,
together with the event ``webhook_disabled``, so that a crash leaves all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import structlog

from biont import JsonObject, Transaction
from biont.store import dump_json, execute_sql, format_instant
from biont_webhooks.delivery.deliveries import PendingDelivery
from biont_webhooks.delivery.endpoint_waits import WAIT_LIMIT
from biont_webhooks.delivery.failures import GIVE_UP_AFTER, CountedAttempt, count_failures
from biont_webhooks.tables import (
    AttemptTrigger,
    ClaimState,
    DeliveryStatus,
    ErrorClass,
    Webhook,
    WebhookStatus,
)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)

_log = structlog.get_logger("biont.webhooks")

_FAILS_TOO_LONG = f"no attempt has succeeded for {GIVE_UP_AFTER.days} days"


class AttemptResult(NamedTuple):
    """Result of an attempt.

    Attributes:
        delivery: the delivery that was attempted.
        attempted_at: the start of the attempt.
        duration: the duration of the attempt, in seconds.
        status_code: the HTTP status of the answer; None for no answer.
        error: the reason for the failure; None for a success.
        error_class: the kind of the failure; None for a success.
        answer: the first bytes of the answer's body.
        answer_problem: the error after the headers of the answer; None for none.
        retry_at: the instant of the next attempt; None for no further attempt.
        waits_until: the instant before which the receiver wants no attempt; None for none.
        is_gone: whether the receiver answered 410 and wants no more deliveries.
    """

    delivery: PendingDelivery
    attempted_at: datetime
    duration: float
    status_code: int | None
    error: str | None
    error_class: ErrorClass | None = None
    answer: bytes = b""
    answer_problem: str | None = None
    retry_at: datetime | None = None
    waits_until: datetime | None = None
    is_gone: bool = False

    @property
    def status(self) -> DeliveryStatus:
        """The status of the delivery after this attempt."""
        if self.error is None:
            return DeliveryStatus.SUCCEEDED
        return DeliveryStatus.FAILED if self.retry_at is None else DeliveryStatus.PENDING


# The condition on webhook_id in this and the next statement: the delivery may have been deleted
# during the attempt, and a new delivery of another webhook may have got the same number.
_UPDATE_DELIVERIES = f"""
    UPDATE webhook_deliveries
    SET status = j.value ->> 1, due_at = j.value ->> 2, attempts = attempts + 1,
        claimed = {ClaimState.FREE}, "trigger" = j.value ->> 3
    FROM json_each(?) AS j
    WHERE webhook_deliveries.id = j.value ->> 0 AND webhook_id = j.value ->> 4
"""  # noqa: S608  # a constant

_INSERT_ATTEMPTS = """
    INSERT INTO webhook_attempts (delivery_id, "trigger", redelivered, attempted_at, duration_ms,
        status_code, error, error_class, answer, answer_problem)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
        value ->> 6, value ->> 7, value ->> 8, value ->> 9
    FROM json_each(?)
    WHERE EXISTS (
        SELECT 1 FROM webhook_deliveries WHERE id = value ->> 0 AND webhook_id = value ->> 10)
"""

# A shorter wait ends no longer one, and an instant beyond the limit is of a clock set back since.
_SET_WAITS_UNTIL = """
    UPDATE webhooks SET waits_until = j.value ->> 1
    FROM json_each(?) AS j WHERE webhooks.id = j.value ->> 0 AND (
        waits_until IS NULL OR waits_until < j.value ->> 1 OR waits_until > j.value ->> 2)
"""


def save_results(tx: Transaction, results: Sequence[AttemptResult]) -> list[Webhook]:
    """Record attempts; return the webhooks that this disables.

    A webhook is disabled, and ``webhook_disabled`` emitted, when the receiver answers 410
    Gone, or when it has failed for too long (`biont_webhooks.delivery.failures`).
    """
    execute_sql(_UPDATE_DELIVERIES, dump_json([_to_delivery_row(result) for result in results]))
    execute_sql(_INSERT_ATTEMPTS, dump_json([_to_attempt_row(result) for result in results]))
    _save_waits(results)
    # Tests say nothing about deliveries: they count neither as failure nor as success.
    counted = [
        CountedAttempt(result.delivery.webhook_id, result.attempted_at, result.error is not None)
        for result in results
        if result.delivery.trigger is not AttemptTrigger.TEST
    ]
    reasons = dict.fromkeys(count_failures(counted), _FAILS_TOO_LONG)
    reasons |= {
        result.delivery.webhook_id: "the receiver answered 410 Gone"
        for result in results
        if result.is_gone
    }
    return [
        _disable_webhook(tx, webhook, reason)
        for webhook_id, reason in reasons.items()
        for webhook in Webhook.select().where(
            Webhook.id == webhook_id, Webhook.status == WebhookStatus.ACTIVE
        )
    ]


def _save_waits(results: Sequence[AttemptResult]) -> None:
    longest: dict[int, datetime] = {}
    for result in results:
        if result.waits_until is not None:
            webhook_id = result.delivery.webhook_id
            longest[webhook_id] = max(longest.get(webhook_id, _LONG_AGO), result.waits_until)
    if longest:
        rows = [
            (webhook_id, format_instant(until), format_instant(until + WAIT_LIMIT))
            for webhook_id, until in longest.items()
        ]
        execute_sql(_SET_WAITS_UNTIL, dump_json(rows))


def _to_delivery_row(result: AttemptResult) -> tuple[object, ...]:
    retry_at = None if result.retry_at is None else format_instant(result.retry_at)
    trigger = result.delivery.trigger if retry_at is None else AttemptTrigger.RETRY
    return result.delivery.id, result.status, retry_at, trigger, result.delivery.webhook_id


def _to_attempt_row(result: AttemptResult) -> tuple[object, ...]:
    return (
        result.delivery.id,
        result.delivery.trigger,
        int(result.delivery.redelivered),
        format_instant(result.attempted_at),
        round(result.duration * 1000),
        result.status_code,
        # Text of an error may hold surrogates, which neither JSON nor SQLite takes.
        None if result.error is None else result.error.encode(errors="replace").decode(),
        result.error_class,
        result.answer.decode(errors="replace"),
        result.answer_problem,
        result.delivery.webhook_id,
    )


def _disable_webhook(tx: Transaction, webhook: Webhook, reason: str) -> Webhook:
    webhook.status = WebhookStatus.DISABLED
    webhook.disabled_reason = reason
    webhook.save()
    payload: JsonObject = {"webhook_id": webhook.id, "url": webhook.url, "reason": reason}
    tx.emit("webhook_disabled", webhook.user_id, payload)
    tx.after_commit(
        partial(_log.warning, "webhook disabled", webhook_id=webhook.id, reason=reason)
    )
    return webhook
