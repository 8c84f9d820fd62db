"""What is owed to whom: from events to deliveries, and from attempts to their record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import orjson
from peewee import chunked

from biont import Event, Transaction, Vault
from biont_webhooks.subscribers import Subscriber, to_subscriber
from biont_webhooks.tables import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Message,
    Trigger,
    Webhook,
    WebhookStatus,
)

# SQLite takes 32,766 parameters a statement.
_ROWS_A_STATEMENT = 4000


@dataclass(frozen=True, slots=True)
class Owed:
    """A delivery that has yet to be attempted."""

    id: int
    event_id: str
    body: bytes
    trigger: Trigger = Trigger.EVENT


@dataclass(frozen=True, slots=True)
class Outcome:
    """An attempt that was made."""

    delivery_id: int
    attempted_at: datetime
    duration: float
    status_code: int | None
    error: str | None
    answer: bytes
    status: DeliveryStatus
    trigger: Trigger = Trigger.EVENT


def make_body(event: Event) -> bytes:
    """Return the exact bytes that receivers of `event` get."""
    return orjson.dumps(
        {
            "id": event.id,
            "user_id": event.user_id,
            "event_type": event.event_type,
            "created_at": event.created_at,
            "payload": event.payload,
        }
    )


def insert_owed(
    _: Transaction,
    owed: Sequence[tuple[Event, Sequence[int]]],
    now: datetime,
    trigger: Trigger = Trigger.EVENT,
) -> dict[int, list[Owed]]:
    """Record each event as owed to its webhooks; return what is new, by webhook.

    An event that was recorded before is owed no second time.
    """
    bodies = {event.id: make_body(event) for event, _ in owed}
    Message.insert_many(
        [
            (event.id, event.event_type, bodies[event.id].decode(), event.created_at)
            for event, _ in owed
        ],
        fields=[Message.event_id, Message.event_type, Message.body, Message.created_at],
    ).on_conflict_ignore().execute()
    rows = [
        (webhook_id, event.id, DeliveryStatus.PENDING, trigger, now)
        for event, webhook_ids in owed
        for webhook_id in webhook_ids
    ]
    new: dict[int, list[Owed]] = {}
    for chunk in chunked(rows, _ROWS_A_STATEMENT):
        for delivery_id, webhook_id, event_id in _insert_deliveries(chunk):
            new.setdefault(webhook_id, []).append(
                Owed(delivery_id, event_id, bodies[event_id], trigger)
            )
    return new


def _insert_deliveries(
    rows: Sequence[tuple[int, str, DeliveryStatus, Trigger, datetime]],
) -> Iterable[tuple[int, int, str]]:
    """Insert deliveries; return number, webhook and event of those that are new."""
    inserted: Iterable[tuple[int, int, str]] = (
        Delivery.insert_many(
            rows,
            fields=[
                Delivery.webhook,
                Delivery.message,
                Delivery.status,
                Delivery.trigger,
                Delivery.created_at,
            ],
        )
        .on_conflict_ignore()
        .returning(Delivery.id, Delivery.webhook, Delivery.message)
        .tuples()
        .execute()
    )
    return inserted


def select_owed(webhook_id: int, after: int, limit: int) -> list[Owed]:
    """Return the next deliveries that a webhook is owed, behind the delivery `after`."""
    query = (
        Delivery.select(Delivery.id, Delivery.message, Message.body, Delivery.trigger)
        .join(Message)
        .where(
            Delivery.webhook == webhook_id,
            Delivery.status == DeliveryStatus.PENDING,
            Delivery.id > after,
        )
        .order_by(Delivery.id)
        .limit(limit)
        .tuples()
    )
    rows = cast("Iterable[tuple[int, str, str, str]]", query)
    return [
        Owed(delivery_id, event_id, body.encode(), Trigger(trigger))
        for delivery_id, event_id, body, trigger in rows
    ]


def select_creditors(vault: Vault) -> list[Subscriber]:
    """Return the active webhooks that are owed something."""
    owed = Delivery.select(Delivery.webhook).where(Delivery.status == DeliveryStatus.PENDING)
    query = Webhook.select().where(Webhook.id.in_(owed), Webhook.status == WebhookStatus.ACTIVE)
    return [to_subscriber(webhook, vault) for webhook in query]


def save_outcomes(_: Transaction, outcomes: Iterable[Outcome]) -> None:
    """Record attempts, and what they mean for their deliveries."""
    outcomes = list(outcomes)
    attempted = [outcome.delivery_id for outcome in outcomes]
    alive = {row.id for row in Delivery.select(Delivery.id).where(Delivery.id.in_(attempted))}
    kept = [outcome for outcome in outcomes if outcome.delivery_id in alive]
    for status in (DeliveryStatus.SUCCEEDED, DeliveryStatus.FAILED):
        ids = [outcome.delivery_id for outcome in kept if outcome.status is status]
        Delivery.update(status=status, attempts=Delivery.attempts + 1).where(
            Delivery.id.in_(ids)
        ).execute()
    if kept:
        Attempt.insert_many(
            [
                (
                    outcome.delivery_id,
                    outcome.attempted_at,
                    round(outcome.duration * 1000),
                    outcome.status_code,
                    outcome.error,
                    outcome.answer.decode(errors="replace"),
                    outcome.trigger,
                )
                for outcome in kept
            ],
            fields=[
                Attempt.delivery,
                Attempt.attempted_at,
                Attempt.duration_ms,
                Attempt.status_code,
                Attempt.error,
                Attempt.answer,
                Attempt.trigger,
            ],
        ).execute()
