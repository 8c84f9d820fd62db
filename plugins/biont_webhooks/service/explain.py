"""Explanations: the reason for which a webhook receives an event, or does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import Field

from biont import Event, Schema
from biont.events import find_pattern
from biont.http import make_causation_headers
from biont.security import Vault
from biont.store import Span
from biont_webhooks.delivery.deliveries import make_body
from biont_webhooks.subscription.custom_headers import redact_headers
from biont_webhooks.subscription.payload_filter import PayloadFilter
from biont_webhooks.subscription.subscriber import Subscriber, to_subscriber
from biont_webhooks.tables import Delivery, Webhook, WebhookStatus


class WebhookExplanation(Schema):
    """Decision of one webhook, in its present state, about an event."""

    webhook_id: int
    name: str | None
    url: str
    gets_it: bool
    pointer: str = Field(
        description="The field of the webhook that decides, as a JSON pointer into the webhook."
    )
    reason: str
    headers: dict[str, str] | None = Field(
        description="The headers of the request if the request was made now; the values of "
        "custom headers are redacted. Null when the webhook does not receive the event."
    )
    delivery_id: int | None = Field(
        description="The delivery of this event to the webhook; null when none was created."
    )


class EventExplanation(Schema):
    """Decisions of the webhooks about an event."""

    event_id: str
    event_type: str
    body: str | None = Field(
        description="The exact body of each delivery; null if the key may not read the event."
    )
    webhooks: list[WebhookExplanation]
    next: str | None = Field(description="The cursor of the next page; null on the last page.")


@dataclass(frozen=True, slots=True)
class SubscriptionDecision:
    """Decision about an event, and its reason.

    Attributes:
        gets_it: whether the webhook receives the event.
        pointer: the deciding field of the webhook, as a JSON pointer into its view.
        reason: the reason, as a sentence.
    """

    gets_it: bool
    pointer: str
    reason: str


def explain_event(
    event: Event,
    vault: Vault,
    now: datetime,
    limit: int,
    before: int | None,
    webhook_id: int | None = None,
) -> list[WebhookExplanation]:
    """Explain an event for up to `limit` + 1 webhooks of the event's user, the newest first.

    Args:
        event: the event.
        vault: the vault of the secrets.
        now: the present time.
        limit: the most webhooks of a page.
        before: only webhooks with a lower number; None for all.
        webhook_id: only this webhook; None for all.

    Raises:
        NotFound: the user has no webhook of the number `webhook_id`.
        VaultError: the secrets of a webhook cannot be read.
    """
    webhooks: Sequence[Webhook] = (
        Webhook.read_page(event.user_id, limit, Span(place=before))
        if webhook_id is None
        else [Webhook.get_owned(event.user_id, webhook_id)]
    )
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
    decision = decide_subscription(webhook, subscriber, event)
    return WebhookExplanation(
        webhook_id=webhook.id,
        name=webhook.name,
        url=webhook.url,
        gets_it=decision.gets_it,
        pointer=decision.pointer,
        reason=decision.reason,
        headers=_make_redacted_headers(subscriber, event, now) if decision.gets_it else None,
        delivery_id=delivery_id,
    )


def decide_subscription(
    webhook: Webhook, subscriber: Subscriber, event: Event
) -> SubscriptionDecision:
    """Decide by status, event types and filter whether a webhook receives an event."""
    if webhook.status != WebhookStatus.ACTIVE:
        reason = f": {webhook.disabled_reason}" if webhook.disabled_reason else ""
        return SubscriptionDecision(False, "#/status", f"the webhook is {webhook.status}{reason}")
    return decide_by_content(subscriber.event_types, subscriber.filter, event)


def decide_by_content(
    event_types: Sequence[str], payload_filter: PayloadFilter | None, event: Event
) -> SubscriptionDecision:
    """Decide by event types and filter whether a webhook receives an event."""
    pattern = find_pattern(event_types, event.event_type)
    if pattern is None:
        return SubscriptionDecision(
            False, "#/event_types", f"no pattern matches {event.event_type}"
        )
    if payload_filter is None:
        place = f"#/event_types/{event_types.index(pattern)}"
        return SubscriptionDecision(True, place, f"{pattern} matches {event.event_type}")
    found = payload_filter.explain(event.payload)
    return SubscriptionDecision(
        found.matches, f"#/filter{found.pointer.removeprefix('#')}", found.reason
    )


def _make_redacted_headers(subscriber: Subscriber, event: Event, now: datetime) -> dict[str, str]:
    headers = subscriber.make_headers(
        message_id=event.id,
        body=make_body(event),
        causation_headers=make_causation_headers(event.correlation_id, event.hops),
        now=now,
    )
    return {**headers, **redact_headers(subscriber.headers)}
