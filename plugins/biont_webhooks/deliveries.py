"""What is owed to whom: from events to deliveries, and from attempts to their record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import cast

import orjson
from peewee import chunked

from biont import Event, Transaction
from biont_webhooks.tables import Attempt, Delivery, Message, Webhook

# SQLite takes 32,766 parameters a statement.
_ROWS_A_STATEMENT = 5000


class DeliveryStatus(StrEnum):
    """What became of a delivery."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A webhook as the delivery path needs it."""

    id: int
    url: str
    secret: str
    event_types: tuple[str, ...]

    def wants(self, event_type: str) -> bool:
        """Say whether it has subscribed to events of this type."""
        return any(
            event_type.startswith(pattern[:-1]) if pattern[-1] == "*" else event_type == pattern
            for pattern in self.event_types
        )


@dataclass(frozen=True, slots=True)
class Owed:
    """A delivery that has yet to be attempted."""

    id: int
    event_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """An attempt that was made."""

    delivery_id: int
    attempted_at: datetime
    duration: float
    status_code: int | None
    error: str | None
    answer: bytes

    @property
    def status(self) -> DeliveryStatus:
        """What it means for the delivery: only HTTP 200 is a success."""
        return DeliveryStatus.SUCCEEDED if self.status_code == 200 else DeliveryStatus.FAILED


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
    _: Transaction, owed: Sequence[tuple[Event, Sequence[int]]]
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
        (webhook_id, event.id, DeliveryStatus.PENDING)
        for event, webhook_ids in owed
        for webhook_id in webhook_ids
    ]
    new: dict[int, list[Owed]] = {}
    for chunk in chunked(rows, _ROWS_A_STATEMENT):
        for delivery_id, webhook_id, event_id in _insert_deliveries(chunk):
            new.setdefault(webhook_id, []).append(Owed(delivery_id, event_id, bodies[event_id]))
    return new


def _insert_deliveries(
    rows: Sequence[tuple[int, str, DeliveryStatus]],
) -> Iterable[tuple[int, int, str]]:
    """Insert deliveries; return number, webhook and event of those that are new."""
    inserted: Iterable[tuple[int, int, str]] = (
        Delivery.insert_many(rows, fields=[Delivery.webhook, Delivery.message, Delivery.status])
        .on_conflict_ignore()
        .returning(Delivery.id, Delivery.webhook, Delivery.message)
        .tuples()
        .execute()
    )
    return inserted


def select_owed(webhook_id: int, after: int, limit: int) -> list[Owed]:
    """Return the next deliveries that a webhook is owed, behind the delivery `after`."""
    query = (
        Delivery.select(Delivery.id, Delivery.message, Message.body)
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
    rows = cast("Iterable[tuple[int, str, str]]", query)
    return [Owed(delivery_id, event_id, body.encode()) for delivery_id, event_id, body in rows]


def select_subscribers(user_id: int) -> list[Subscriber]:
    """Return a user's webhooks."""
    return [_to_subscriber(webhook) for webhook in Webhook.of_user(user_id)]


def select_creditors() -> list[Subscriber]:
    """Return the webhooks that are owed something."""
    owed = Delivery.select(Delivery.webhook).where(Delivery.status == DeliveryStatus.PENDING)
    return [_to_subscriber(webhook) for webhook in Webhook.select().where(Webhook.id.in_(owed))]


def save_outcomes(_: Transaction, outcomes: Iterable[Outcome]) -> None:
    """Record attempts, and what they mean for their deliveries."""
    outcomes = list(outcomes)
    attempted = [outcome.delivery_id for outcome in outcomes]
    alive = {row.id for row in Delivery.select(Delivery.id).where(Delivery.id.in_(attempted))}
    kept = [outcome for outcome in outcomes if outcome.delivery_id in alive]
    for status in (DeliveryStatus.SUCCEEDED, DeliveryStatus.FAILED):
        ids = [outcome.delivery_id for outcome in kept if outcome.status is status]
        Delivery.update(status=status).where(Delivery.id.in_(ids)).execute()
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
            ],
        ).execute()


def _to_subscriber(webhook: Webhook) -> Subscriber:
    return Subscriber(
        webhook.id, webhook.url, webhook.secret, tuple(orjson.loads(webhook.event_types))
    )
