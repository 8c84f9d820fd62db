"""REST schemas of deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from biont import Schema
from biont.http import Instant
from biont_webhooks.subscription.event_patterns import EventPatterns
from biont_webhooks.tables import Attempt, AttemptTrigger, Delivery, DeliveryStatus, ErrorClass


class AttemptView(Schema):
    """POST request made for a delivery."""

    attempted_at: datetime
    trigger: AttemptTrigger = Field(description="The reason for the attempt.")
    redelivered: bool = Field(
        description="True if an earlier attempt, whose record a crash has lost, may have arrived."
    )
    duration_ms: int
    status_code: int | None
    error: str | None
    error_class: ErrorClass | None = Field(
        description="The kind of the failure: an unexpected `status`, a `timeout`, a `forbidden` "
        "address, a failure to `resolve` the name or to `connect`, `tls`, an `answer` that is not "
        "HTTP, or something `unexpected`."
    )
    answer: str = Field(description="The first bytes of the receiver's answer.")
    answer_problem: str | None = Field(
        description="The error after the headers of the answer; the status decides nevertheless."
    )


class DeliveryView(Schema):
    """Delivery of an event to a webhook."""

    id: int
    event_id: str
    event_type: str
    status: DeliveryStatus
    created_at: datetime = Field(description="The creation time of the delivery.")
    due_at: datetime | None = Field(
        description="The earliest instant of the next attempt; null if the attempt is due "
        "now, or if none follows."
    )
    attempts: list[AttemptView]


class Recovery(Schema):
    """Choice of the failed deliveries to attempt again."""

    model_config = ConfigDict(extra="forbid")

    since: Instant = Field(description="Only deliveries created at this instant or later.")
    dry_run: bool = Field(False, description="Only count the deliveries.")


class ReplayRequest(Schema):
    """Choice of the events to deliver."""

    model_config = ConfigDict(extra="forbid")

    since: Instant = Field(description="Only events emitted at this instant or later.")
    until: Instant | None = Field(None, description="Only events emitted before this instant.")
    event_types: EventPatterns | None = Field(
        None,
        description="Only events of these types, among the types that the webhook subscribes to.",
    )
    dry_run: bool = Field(False, description="Only count the deliveries.")


class DeliveryCount(Schema):
    """Number of deliveries that an act would make pending."""

    count: int
    dry_run: Literal[True]


def make_delivery_view(delivery: Delivery, attempts: Sequence[Attempt]) -> DeliveryView:
    """Return the view of a delivery with its attempts."""
    return DeliveryView(
        id=delivery.id,
        event_id=delivery.message.event_id,
        event_type=delivery.message.event_type,
        status=DeliveryStatus(delivery.status),
        created_at=delivery.created_at or delivery.message.created_at,
        due_at=delivery.due_at,
        attempts=[_make_attempt_view(attempt) for attempt in attempts],
    )


def _make_attempt_view(attempt: Attempt) -> AttemptView:
    return AttemptView(
        attempted_at=attempt.attempted_at,
        trigger=AttemptTrigger(attempt.trigger),
        redelivered=attempt.redelivered,
        duration_ms=attempt.duration_ms,
        status_code=attempt.status_code,
        error=attempt.error,
        error_class=None if attempt.error_class is None else ErrorClass(attempt.error_class),
        answer=attempt.answer,
        answer_problem=attempt.answer_problem,
    )
