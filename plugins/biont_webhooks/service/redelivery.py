"""Redelivery: resend, recover, replay and test deliveries, and the queries for deliveries.

The functions that take a webhook run inside a write, by `Webhooks.redeliver` or
`Webhooks.attempt_now`. Acts on many deliveries are operations, see
`biont_webhooks.service.bulk_acts`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from peewee import SQL, Case, Expression, ModelSelect, fn

from biont import Event
from biont.events import get_prefix
from biont.exceptions import NotFound
from biont.store import Scan, find_scan_end
from biont_webhooks.delivery.deliveries import insert_deliveries
from biont_webhooks.tables import (
    Attempt,
    AttemptTrigger,
    Delivery,
    DeliveryStatus,
    ErrorClass,
    EventMessage,
    Webhook,
)

# Not a parameter, which SQLite could not compare with the condition of the partial index.
_IS_FAILED = SQL('"t1"."status" = \'failed\'')


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Filter for the deliveries of a webhook; None, and no value at all, match all.

    Attributes:
        statuses: the status of deliveries, any of these.
        event_type: the type of the event: exact, a prefix (``task_*``), or ``*``.
        event_id: the id of the event.
        status_code: the HTTP status that an attempt got.
        error_classes: the kind of failure of that attempt, any of these.
        since: the earliest creation time.
        until: the first creation time that is too late.
    """

    statuses: frozenset[DeliveryStatus] = frozenset()
    event_type: str = "*"
    event_id: str | None = None
    status_code: int | None = None
    error_classes: frozenset[ErrorClass] = frozenset()
    since: datetime | None = None
    until: datetime | None = None


def select_deliveries(
    user_id: int, webhook_id: int, choice: DeliveryFilter, limit: int, before: int | None
) -> Scan[tuple[Delivery, list[Attempt]]]:
    """Return up to `limit` + 1 deliveries of a webhook with attempts, the newest first.

    Raises:
        NotFound: the user has no webhook of this number.
    """
    webhook = Webhook.get_owned(user_id, webhook_id)
    query = _filter_deliveries(webhook, choice)
    looked_at = Delivery.select().where(Delivery.webhook == webhook)
    if choice.statuses == {DeliveryStatus.FAILED}:
        looked_at = looked_at.where(_IS_FAILED)
    if before is not None:
        query = query.where(Delivery.id < before)
        looked_at = looked_at.where(Delivery.id < before)
    end = None
    if choice.event_id is not None:
        # One delivery at most, which an index finds without an order.
        return Scan(_add_attempts(list(query)))
    if choice != DeliveryFilter():
        end = find_scan_end(looked_at.order_by(Delivery.id.desc()), Delivery.id)
        query = query.where(Delivery.id >= (end or 0))
    rows = list(query.order_by(Delivery.id.desc()).limit(limit + 1))
    return Scan(_add_attempts(rows), end)


def get_delivery(
    user_id: int, webhook_id: int, delivery_id: int
) -> tuple[Delivery, list[Attempt]]:
    """Return a delivery of a webhook with its attempts.

    Raises:
        NotFound: the user has no such webhook, or the webhook has no such delivery.
    """
    webhook = Webhook.get_owned(user_id, webhook_id)
    query = _filter_deliveries(webhook, DeliveryFilter()).where(Delivery.id == delivery_id)
    for found in _add_attempts(list(query)):
        return found
    raise _make_not_found(webhook_id, delivery_id)


def create_test_delivery(webhook: Webhook, message: Event, now: datetime) -> int:
    """Create a delivery of `message` for one webhook; return the delivery's number."""
    created = insert_deliveries([(message, [webhook.id])], now, AttemptTrigger.TEST)
    (delivery,) = created[webhook.id]
    return delivery.id


def resend_delivery(webhook: Webhook, delivery_id: int) -> int:
    """Make a delivery pending and due now, in any status; return its number.

    Raises:
        NotFound: the webhook has no such delivery.
    """
    condition = (Delivery.id == delivery_id) & (Delivery.webhook == webhook)
    if not _make_due(condition, AttemptTrigger.RESEND):
        raise _make_not_found(webhook.id, delivery_id)
    return delivery_id


def find_failed(
    webhook: Webhook, since: datetime, before: int | None, limit: int
) -> tuple[list[int], int | None]:
    """Return the failed deliveries among the next `limit`, the newest first.

    Args:
        webhook: the webhook of the deliveries.
        since: the earliest creation time of the deliveries.
        before: only deliveries with a lower number; None for all.
        limit: the most failed deliveries to look at; those of an earlier time count too.

    Returns:
        The numbers of the deliveries, and the number of the last that was looked at; None if
        there is no further failed delivery.
    """
    looked_at = Delivery.select(Delivery.id).where(Delivery.webhook == webhook, _IS_FAILED)
    query = _filter_deliveries(
        webhook, DeliveryFilter(frozenset({DeliveryStatus.FAILED}), since=since)
    ).select(Delivery.id)
    if before is not None:
        query = query.where(Delivery.id < before)
        looked_at = looked_at.where(Delivery.id < before)
    newest_first = Delivery.id.desc()
    end: int | None = looked_at.order_by(newest_first).offset(limit - 1).limit(1).scalar()
    query = query.where(Delivery.id >= (end or 0))
    return [delivery.id for delivery in query.order_by(newest_first)], end


def recover_failed(webhook: Webhook, numbers: Sequence[int]) -> int:
    """Make deliveries pending and due now that are still failed; return their number."""
    still_failed = (
        (Delivery.webhook == webhook)
        & Delivery.id.in_(numbers)
        & (Delivery.status == DeliveryStatus.FAILED)
    )
    return _make_due(still_failed, AttemptTrigger.RECOVER)


def create_replays(webhook: Webhook, events: Sequence[Event], now: datetime) -> int:
    """Create the missing deliveries of `events` for a webhook; return the number."""
    created = insert_deliveries(
        [(event, [webhook.id]) for event in events], now, AttemptTrigger.REPLAY
    )
    return len(created.get(webhook.id, ()))


def count_existing(webhook_id: int, event_ids: Sequence[str]) -> int:
    """Return the number of these events of which the webhook has a delivery."""
    existing = (Delivery.webhook == webhook_id) & Delivery.message.in_(event_ids)
    return int(Delivery.select().where(existing).count())


def find_deliveries(webhook_id: int, limit: int) -> list[int]:
    """Return the numbers of up to `limit` deliveries of a webhook, in any order."""
    some = Delivery.select(Delivery.id).where(Delivery.webhook == webhook_id).limit(limit)
    return [delivery.id for delivery in some]


def delete_deliveries(delivery_ids: Sequence[int]) -> None:
    """Delete the deliveries of these numbers, with their attempts."""
    Delivery.delete().where(Delivery.id.in_(delivery_ids)).execute()


def _filter_deliveries(webhook: Webhook, choice: DeliveryFilter) -> ModelSelect[Delivery]:
    query = (
        Delivery.select(Delivery, EventMessage)
        .join(EventMessage)
        .where(Delivery.webhook == webhook)
    )
    if choice.statuses == {DeliveryStatus.FAILED}:
        query = query.where(_IS_FAILED)
    elif choice.statuses:
        query = query.where(Delivery.status.in_(sorted(choice.statuses)))
    prefix = get_prefix(choice.event_type)
    if prefix is None:
        query = query.where(EventMessage.event_type == choice.event_type)
    elif prefix:
        query = query.where(fn.SUBSTR(EventMessage.event_type, 1, len(prefix)) == prefix)
    if choice.event_id is not None:
        query = query.where(Delivery.message == choice.event_id)
    if choice.status_code is not None or choice.error_classes:
        query = query.where(fn.EXISTS(_select_attempts(choice)))
    # Deliveries from before migration 0002 have no creation time: the message's time counts.
    if choice.since is not None:
        query = query.where(
            (Delivery.created_at >= choice.since)
            | (Delivery.created_at.is_null() & (EventMessage.created_at >= choice.since))
        )
    if choice.until is not None:
        query = query.where(
            (Delivery.created_at < choice.until)
            | (Delivery.created_at.is_null() & (EventMessage.created_at < choice.until))
        )
    return query


def _select_attempts(choice: DeliveryFilter) -> ModelSelect[Attempt]:
    query = Attempt.select(SQL("1")).where(Attempt.delivery == Delivery.id)
    if choice.status_code is not None:
        query = query.where(Attempt.status_code == choice.status_code)
    if choice.error_classes:
        query = query.where(Attempt.error_class.in_(sorted(choice.error_classes)))
    return query


def _add_attempts(deliveries: list[Delivery]) -> list[tuple[Delivery, list[Attempt]]]:
    attempts: dict[int, list[Attempt]] = defaultdict(list)
    made = Attempt.select().where(Attempt.delivery.in_(deliveries)).order_by(Attempt.id)
    for attempt in made:
        attempts[attempt.delivery_id].append(attempt)
    return [(delivery, attempts[delivery.id]) for delivery in deliveries]


def _make_due(condition: Expression, trigger: AttemptTrigger) -> int:
    """Make the matching deliveries pending and due now; return the number of deliveries."""
    # A pending delivery keeps its trigger, and with the trigger its further retries.
    is_pending = Delivery.status == DeliveryStatus.PENDING
    new_trigger = Case(None, [(is_pending, Delivery.trigger)], trigger)
    update = Delivery.update(status=DeliveryStatus.PENDING, due_at=None, trigger=new_trigger)
    return int(update.where(condition).execute())


def _make_not_found(webhook_id: int, delivery_id: int) -> NotFound:
    return NotFound(f"webhook {webhook_id} has no delivery {delivery_id}")
