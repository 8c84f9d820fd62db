"""What REST clients send and see of deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import ConfigDict, Field

from biont import Schema
from biont.http import Instant
from biont_webhooks.subscription.event_patterns import EventPatterns
from biont_webhooks.tables import Attempt, AttemptTrigger, Delivery, DeliveryStatus


class AttemptView(Schema):
    """One POST that was made."""

    attempted_at: datetime
    trigger: AttemptTrigger = Field(description="Why it was made.")
    redelivered: bool = Field(
        description="Whether an earlier one may have arrived of which a crash has lost the record."
    )
    duration_ms: int
    status_code: int | None
    error: str | None
    answer: str = Field(description="The first bytes of what the receiver answered.")


class DeliveryView(Schema):
    """One event that is, or was, owed to a webhook."""

    id: int
    event_id: str
    event_type: str
    status: DeliveryStatus
    created_at: datetime = Field(description="Since when it is owed.")
    due_at: datetime | None = Field(
        description="The earliest instant of the next attempt; null for now, or for none."
    )
    attempts: list[AttemptView]


class Recovery(Schema):
    """Which failed deliveries are to be attempted again."""

    model_config = ConfigDict(extra="forbid")

    since: Instant = Field(description="Those that became owed then or later.")


class ReplayRequest(Schema):
    """Which events are to become owed."""

    model_config = ConfigDict(extra="forbid")

    since: Instant = Field(description="Those that were emitted then or later.")
    until: Instant | None = Field(None, description="Those that were emitted before.")
    event_types: EventPatterns | None = Field(
        None, description="Only those of these types, of what the webhook has subscribed to."
    )


class Count(Schema):
    """How many deliveries are owed now that were not before."""

    count: int


def show_delivery(delivery: Delivery, attempts: Sequence[Attempt]) -> DeliveryView:
    """Return a delivery with its attempts as its user sees it."""
    return DeliveryView(
        id=delivery.id,
        event_id=delivery.message.event_id,
        event_type=delivery.message.event_type,
        status=DeliveryStatus(delivery.status),
        created_at=delivery.created_at or delivery.message.created_at,
        due_at=delivery.due_at,
        attempts=[_show_attempt(attempt) for attempt in attempts],
    )


def _show_attempt(attempt: Attempt) -> AttemptView:
    return AttemptView(
        attempted_at=attempt.attempted_at,
        trigger=AttemptTrigger(attempt.trigger),
        redelivered=attempt.redelivered,
        duration_ms=attempt.duration_ms,
        status_code=attempt.status_code,
        error=attempt.error,
        answer=attempt.answer,
    )
