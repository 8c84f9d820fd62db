"""Webhooks as the delivery path needs them: ready to judge events and to sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from biont import Event
from biont.events import find_pattern
from biont.security import Vault
from biont_webhooks.delivery.claims import find_webhooks_with_pending
from biont_webhooks.subscription.payload_filter import PayloadFilter, load_filter
from biont_webhooks.subscription.retry_policy import RetryPolicy, Success, load_retry_policy
from biont_webhooks.subscription.signing import sign
from biont_webhooks.tables import Webhook, WebhookStatus


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An active webhook.

    Attributes:
        id: the webhook's.
        user_id: whose events it gets.
        url: where they go.
        event_types: patterns, of which one has to fit an event's type.
        filter: what the payload has to match; None for any.
        secrets: what requests are signed with, each with the instant until which it
            signs, None for no end; the current one first.
        success: which answers are a success.
        retry: when a failed delivery is attempted again.
        headers: the webhook's own, which go with each request.
        rate: how many attempts begin in a second at most; None for no limit.
        concurrency: how many attempts it has under way at most; None means the
            setting.
    """

    id: int
    user_id: int
    url: str
    event_types: tuple[str, ...]
    filter: PayloadFilter | None
    secrets: tuple[tuple[str, datetime | None], ...]
    success: Success
    retry: RetryPolicy
    headers: Mapping[str, str]
    rate: float | None
    concurrency: int | None

    def wants(self, event: Event) -> bool:
        """Say whether it has subscribed to an event of its user."""
        if find_pattern(self.event_types, event.event_type) is None:
            return False
        return self.filter is None or self.filter.matches(event.payload)

    def is_owed(self, event: Event) -> bool:
        """Say whether it wants an event of anybody."""
        return event.user_id == self.user_id and self.wants(event)

    def make_headers(
        self, *, message_id: str, body: bytes, cause: Mapping[str, str], now: datetime
    ) -> dict[str, str]:
        """Return the headers of a request that is made at `now`.

        Args:
            message_id: the event's id.
            body: the exact bytes that are sent.
            cause: what `make_causation_headers` says of the event.
            now: when it is made.
        """
        signed = sign(
            self.list_secrets(now),
            message_id=message_id,
            timestamp=int(now.timestamp()),
            body=body,
        )
        return {**cause, **self.headers, **signed, "Content-Type": "application/json"}

    def list_secrets(self, now: datetime) -> list[str]:
        """Return the secrets that sign at present, the current one first."""
        return [secret for secret, until in self.secrets if until is None or now < until]


def to_subscriber(webhook: Webhook, vault: Vault) -> Subscriber:
    """Return a row as the delivery path needs it.

    Raises:
        VaultError: its secrets cannot be read.
    """
    secrets: list[tuple[str, datetime | None]] = [(vault.decrypt(webhook.secret), None)]
    if webhook.previous_secret is not None:
        secrets.append((vault.decrypt(webhook.previous_secret), webhook.previous_secret_until))
    return Subscriber(
        id=webhook.id,
        user_id=webhook.user_id,
        url=webhook.url,
        event_types=tuple(orjson.loads(webhook.event_types)),
        filter=None if webhook.payload_filter is None else load_filter(webhook.payload_filter),
        secrets=tuple(secrets),
        success=Success(webhook.success),
        retry=load_retry_policy(webhook.retry),
        headers=read_headers(webhook, vault),
        rate=webhook.rate,
        concurrency=webhook.concurrency,
    )


def read_headers(webhook: Webhook, vault: Vault) -> dict[str, str]:
    """Return the webhook's own headers.

    Raises:
        VaultError: they cannot be read.
    """
    if webhook.headers is None:
        return {}
    headers: dict[str, str] = orjson.loads(vault.decrypt(webhook.headers))
    return headers


def select_subscribers(user_id: int, vault: Vault) -> list[Subscriber]:
    """Return a user's active webhooks."""
    active = Webhook.of_user(user_id).where(Webhook.status == WebhookStatus.ACTIVE)
    return [to_subscriber(webhook, vault) for webhook in active]


def select_webhooks_with_pending(vault: Vault) -> list[Subscriber]:
    """Return the active webhooks that are owed something."""
    query = Webhook.select().where(Webhook.id.in_(find_webhooks_with_pending()))
    return [to_subscriber(webhook, vault) for webhook in query]


def find_stale_secrets(vault: Vault) -> dict[int, dict[str, str]]:
    """Return what is not yet encrypted by the present key, as it should be, by webhook.

    Raises:
        VaultError: some of it cannot be read.
    """
    stale: dict[int, dict[str, str]] = {}
    for webhook in Webhook.select():
        for field in ("secret", "previous_secret", "headers"):
            value = getattr(webhook, field)
            if value is not None and (token := vault.refresh(value)) != value:
                stale.setdefault(webhook.id, {})[field] = token
    return stale


def replace_secrets(tokens: Mapping[int, Mapping[str, str]]) -> None:
    """Store what `find_stale_secrets` has returned."""
    # Otherwise what was there, maybe in plain text, could stay in the file's free space.
    Webhook.raw("PRAGMA secure_delete = ON").execute()
    for webhook_id, columns in tokens.items():
        Webhook.update(columns).where(Webhook.id == webhook_id).execute()
