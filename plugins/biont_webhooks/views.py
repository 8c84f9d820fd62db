"""What REST clients send and see of webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from biont_webhooks.signing import validate_secret
from biont_webhooks.tables import Attempt, Delivery, DeliveryStatus, Webhook

EventPattern = Annotated[
    str,
    Field(
        pattern=r"^(\*|[a-z][a-z0-9_]*\*?)$",
        max_length=100,
        description="An event type, a prefix (`task_*`), or `*` for all.",
    ),
]


class NewWebhook(BaseModel):
    """Who wants to be told what."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=2000)]
    event_types: Annotated[list[EventPattern], Field(min_length=1, max_length=100)] = ["*"]
    secret: Annotated[str, AfterValidator(validate_secret)] | None = Field(
        None, description="What requests are signed with; made for you when you leave it out."
    )


class WebhookView(BaseModel):
    """A webhook as it may be shown: without its secret."""

    id: int
    url: str
    event_types: list[str]
    created_at: datetime


class CreatedWebhook(WebhookView):
    """A webhook that was just registered."""

    secret: str = Field(description="What requests are signed with. Shown only this once.")


class AttemptView(BaseModel):
    """One POST that was made."""

    attempted_at: datetime
    duration_ms: int
    status_code: int | None
    error: str | None
    answer: str = Field(description="The first bytes of what the receiver answered.")


class DeliveryView(BaseModel):
    """One event that is, or was, owed to a webhook."""

    id: int
    event_id: str
    event_type: str
    status: DeliveryStatus
    attempts: list[AttemptView]


def show_webhook(webhook: Webhook) -> WebhookView:
    """Return a webhook as its user sees it."""
    return WebhookView(
        id=webhook.id,
        url=webhook.url,
        event_types=orjson.loads(webhook.event_types),
        created_at=webhook.created_at,
    )


def show_delivery(delivery: Delivery, attempts: list[Attempt]) -> DeliveryView:
    """Return a delivery with its attempts as its user sees it."""
    return DeliveryView(
        id=delivery.id,
        event_id=delivery.message.event_id,
        event_type=delivery.message.event_type,
        status=DeliveryStatus(delivery.status),
        attempts=[
            AttemptView(
                attempted_at=attempt.attempted_at,
                duration_ms=attempt.duration_ms,
                status_code=attempt.status_code,
                error=attempt.error,
                answer=attempt.answer,
            )
            for attempt in attempts
        ],
    )
