"""Deliveries on demand: changes to rows, each handed to `Store.write`, and what they read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from peewee import Case, Expression, ModelSelect

from biont import Event
from biont.exceptions import NotFound
from biont_webhooks.delivery.deliveries import insert_deliveries
from biont_webhooks.tables import (
    Attempt,
    AttemptTrigger,
    Delivery,
    DeliveryStatus,
    EventMessage,
    Webhook,
)

SLICE = 1000
"""How many deliveries one write changes at most, since others wait for it."""


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which of a webhook's deliveries are asked for; None asks for all.

    Attributes:
        status: what became of them.
        event_type: of their events.
        since: those that became owed then or later.
        until: those that became owed before.
    """

    status: DeliveryStatus | None = None
    event_type: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def select_deliveries(
    user_id: int, webhook_id: int, asked: DeliveryFilter, limit: int, before: int | None
) -> list[tuple[Delivery, list[Attempt]]]:
    """Return a page of a webhook's deliveries and one more, the newest first, with attempts.

    Raises:
        NotFound: there is no such webhook of this user.
    """
    query = _ask(Webhook.get_owned(user_id, webhook_id), asked)
    if before is not None:
        query = query.where(Delivery.id < before)
    return _add_attempts(list(query.order_by(Delivery.id.desc()).limit(limit + 1)))


def get_delivery(
    user_id: int, webhook_id: int, delivery_id: int
) -> tuple[Delivery, list[Attempt]]:
    """Return one of a webhook's deliveries with its attempts.

    Raises:
        NotFound: there is no such webhook of this user, or no such delivery of it.
    """
    webhook = Webhook.get_owned(user_id, webhook_id)
    query = _ask(webhook, DeliveryFilter()).where(Delivery.id == delivery_id)
    for found in _add_attempts(list(query)):
        return found
    raise _not_found(webhook_id, delivery_id)


def create_test_delivery(webhook: Webhook, message: Event, now: datetime) -> int:
    """Owe a message to one webhook alone; return the delivery's number."""
    (owed,) = insert_deliveries([(message, [webhook.id])], now, AttemptTrigger.TEST)[webhook.id]
    return owed.id


def resend(webhook: Webhook, delivery_id: int) -> None:
    """Owe a delivery once more, whatever became of it; what is owed already is due now.

    Raises:
        NotFound: the webhook has no such delivery.
    """
    which = (Delivery.id == delivery_id) & (Delivery.webhook == webhook)
    if not _owe_again(which, AttemptTrigger.RESEND):
        raise _not_found(webhook.id, delivery_id)


def recover(webhook: Webhook, since: datetime, before: int | None) -> list[int]:
    """Owe some of the deliveries that have failed since then once more.

    Args:
        webhook: whose they are.
        since: only those that became owed then or later.
        before: only those with a lower number.

    Returns:
        The numbers of at most `SLICE` deliveries, the highest first.
    """
    query = _ask(webhook, DeliveryFilter(DeliveryStatus.FAILED, since=since))
    if before is not None:
        query = query.where(Delivery.id < before)
    query = query.select(Delivery.id).order_by(Delivery.id.desc()).limit(SLICE)
    numbers = [delivery.id for delivery in query]
    _owe_again(Delivery.id.in_(numbers), AttemptTrigger.RECOVER)
    return numbers


def replay(webhook: Webhook, events: Sequence[Event], now: datetime) -> int:
    """Owe events to one webhook alone; return how many were not owed to it before."""
    owed = insert_deliveries(
        [(event, [webhook.id]) for event in events], now, AttemptTrigger.REPLAY
    )
    return len(owed.get(webhook.id, ()))


def delete_some(webhook_id: int) -> int:
    """Delete at most `SLICE` of a webhook's deliveries; return how many there were."""
    some = Delivery.select(Delivery.id).where(Delivery.webhook == webhook_id).limit(SLICE)
    return int(Delivery.delete().where(Delivery.id.in_(some)).execute())


def _ask(webhook: Webhook, asked: DeliveryFilter) -> ModelSelect[Delivery]:
    query = (
        Delivery.select(Delivery, EventMessage)
        .join(EventMessage)
        .where(Delivery.webhook == webhook)
    )
    if asked.status is not None:
        query = query.where(Delivery.status == asked.status)
    if asked.event_type is not None:
        query = query.where(EventMessage.event_type == asked.event_type)
    if asked.since is not None:
        query = query.where(
            (Delivery.created_at >= asked.since)
            | (Delivery.created_at.is_null() & (EventMessage.created_at >= asked.since))
        )
    if asked.until is not None:
        query = query.where(
            (Delivery.created_at < asked.until)
            | (Delivery.created_at.is_null() & (EventMessage.created_at < asked.until))
        )
    return query


def _add_attempts(deliveries: list[Delivery]) -> list[tuple[Delivery, list[Attempt]]]:
    attempts: dict[int, list[Attempt]] = defaultdict(list)
    made = Attempt.select().where(Attempt.delivery.in_(deliveries)).order_by(Attempt.id)
    for attempt in made:
        attempts[attempt.delivery_id].append(attempt)
    return [(delivery, attempts[delivery.id]) for delivery in deliveries]


def _owe_again(which: Expression, trigger: AttemptTrigger) -> int:
    """Owe the deliveries that `which` describes now; return how many they are."""
    # One that is owed as it is only comes forward, and keeps the retries that are ahead.
    is_owed = Delivery.status == DeliveryStatus.PENDING
    why = Case(None, [(is_owed, Delivery.trigger)], trigger)
    owed = Delivery.update(status=DeliveryStatus.PENDING, due_at=None, trigger=why)
    return int(owed.where(which).execute())


def _not_found(webhook_id: int, delivery_id: int) -> NotFound:
    return NotFound(f"webhook {webhook_id} has no delivery {delivery_id}")
