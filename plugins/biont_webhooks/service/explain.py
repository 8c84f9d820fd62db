"""Why a webhook gets an event, or does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import Field

from biont import Event, Schema
from biont.events import find_pattern
from biont.http import make_causation_headers
from biont.security import Vault
from biont_webhooks.delivery.deliveries import make_body
from biont_webhooks.subscription.custom_headers import mask_headers
from biont_webhooks.subscription.subscriber import Subscriber, to_subscriber
from biont_webhooks.tables import Delivery, Webhook, WebhookStatus


class WebhookExplanation(Schema):
    """Whether a webhook, as it is now, gets an event, and why."""

    webhook_id: int
    name: str | None
    url: str
    gets_it: bool
    pointer: str = Field(
        description="What of the webhook decides, as a JSON pointer into what its own route shows."
    )
    reason: str
    headers: dict[str, str] | None = Field(
        description="The headers of the request if it was made now; values of the webhook's own "
        "are masked. Null when it does not get the event."
    )
    delivery_id: int | None = Field(
        description="The delivery of this event to it; null when the event never became owed."
    )


class EventExplanation(Schema):
    """Who gets an event, and what they get."""

    event_id: str
    event_type: str
    body: str = Field(description="The exact body of each delivery.")
    webhooks: list[WebhookExplanation]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


@dataclass(frozen=True, slots=True)
class SubscriptionVerdict:
    """Whether a webhook gets an event.

    Attributes:
        gets_it: whether it does.
        pointer: what of the webhook decides, as a JSON pointer into its view.
        reason: a sentence.
    """

    gets_it: bool
    pointer: str
    reason: str


def explain_event(
    event: Event, vault: Vault, now: datetime, limit: int, before: int | None
) -> list[WebhookExplanation]:
    """Explain an event for a page of its user's webhooks and one more, the newest first.

    Raises:
        VaultError: a webhook's secrets cannot be read.
    """
    webhooks = Webhook.read_page(event.user_id, limit, before)
    query = Delivery.select(Delivery.id, Delivery.webhook).where(Delivery.message == event.id)
    deliveries = {delivery.webhook_id: delivery.id for delivery in query}
    return [
        _explain_webhook(webhook, vault, event, now, deliveries.get(webhook.id))
        for webhook in webhooks
    ]


def _explain_webhook(
    webhook: Webhook, vault: Vault, event: Event, now: datetime, delivery_id: int | None
) -> WebhookExplanation:
    subscriber = to_subscriber(webhook, vault)
    verdict = judge(webhook, subscriber, event)
    return WebhookExplanation(
        webhook_id=webhook.id,
        name=webhook.name,
        url=webhook.url,
        gets_it=verdict.gets_it,
        pointer=verdict.pointer,
        reason=verdict.reason,
        headers=_show_headers(subscriber, event, now) if verdict.gets_it else None,
        delivery_id=delivery_id,
    )


def judge(webhook: Webhook, subscriber: Subscriber, event: Event) -> SubscriptionVerdict:
    """Say whether a webhook gets an event: by its status, its patterns, its filter."""
    if webhook.status != WebhookStatus.ACTIVE:
        reason = f": {webhook.disabled_reason}" if webhook.disabled_reason else ""
        return SubscriptionVerdict(False, "#/status", f"it is {webhook.status}{reason}")
    pattern = find_pattern(subscriber.event_types, event.event_type)
    if pattern is None:
        return SubscriptionVerdict(False, "#/event_types", f"none of them fits {event.event_type}")
    if subscriber.filter is None:
        place = f"#/event_types/{subscriber.event_types.index(pattern)}"
        return SubscriptionVerdict(True, place, f"{pattern} fits {event.event_type}")
    found = subscriber.filter.explain(event.payload)
    return SubscriptionVerdict(
        found.matches, f"#/filter{found.pointer.removeprefix('#')}", found.reason
    )


def _show_headers(subscriber: Subscriber, event: Event, now: datetime) -> dict[str, str]:
    headers = subscriber.make_headers(
        message_id=event.id,
        body=make_body(event),
        cause=make_causation_headers(event.correlation_id, event.hops),
        now=now,
    )
    return {**headers, **mask_headers(subscriber.headers)}
