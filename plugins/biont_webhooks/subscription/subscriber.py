"""Subscriber: a webhook in the form that the delivery path needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from biont import Event
from biont.events import find_pattern
from biont.security import Vault
from biont_webhooks.subscription.payload_filter import PayloadFilter, load_filter
from biont_webhooks.subscription.previous_secrets import (
    dump_previous_secrets,
    load_previous_secrets,
)
from biont_webhooks.subscription.retry_policy import RetryPolicy, Success, load_retry_policy
from biont_webhooks.subscription.signing import SigningKey, sign
from biont_webhooks.tables import Webhook, WebhookStatus


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Webhook with a compiled filter and decrypted secrets.

    Attributes:
        id: the number of the webhook.
        user_id: the user whose events the webhook receives.
        url: the endpoint.
        event_types: patterns; any of these has to match the type of an event.
        filter: the filter that the payload has to match; None for any payload.
        keys: the signing keys, the current one first, each with the instant at which signing
            with that key ends; None for no end.
        success: the answers that count as a success.
        retry: the waits between attempts.
        headers: the custom headers.
        rate: the most attempts that begin in a second; None for no limit.
        concurrency: the most simultaneous attempts; None for the setting.
        is_active: whether the webhook gets the deliveries of new events.
        waits_until: the instant before which the receiver wants no attempt; None for none.
    """

    id: int
    user_id: int
    url: str
    event_types: tuple[str, ...]
    filter: PayloadFilter | None
    keys: tuple[tuple[SigningKey, datetime | None], ...]
    success: Success
    retry: RetryPolicy
    headers: Mapping[str, str]
    rate: float | None
    concurrency: int | None
    is_active: bool
    waits_until: datetime | None

    def wants(self, event: Event) -> bool:
        """Return whether event types and filter match an event of the webhook's user."""
        if find_pattern(self.event_types, event.event_type) is None:
            return False
        return self.filter is None or self.filter.matches(event.payload)

    def receives(self, event: Event) -> bool:
        """Return whether user, event types and filter match an event of any user."""
        return event.user_id == self.user_id and self.wants(event)

    def make_headers(
        self, *, message_id: str, body: bytes, causation_headers: Mapping[str, str], now: datetime
    ) -> dict[str, str]:
        """Return the headers of a request.

        Args:
            message_id: the id of the event.
            body: the exact bytes to send.
            causation_headers: the result of `make_causation_headers` for the event.
            now: the time of the request.
        """
        signed = sign(
            self.list_keys(now),
            message_id=message_id,
            timestamp=int(now.timestamp()),
            body=body,
        )
        return {**causation_headers, **self.headers, **signed, "Content-Type": "application/json"}

    def list_keys(self, now: datetime) -> list[SigningKey]:
        """Return the keys that sign at `now`, the current one first."""
        return [key for key, until in self.keys if until is None or now < until]


def to_subscriber(webhook: Webhook, vault: Vault) -> Subscriber:
    """Return the subscriber of a row.

    Raises:
        VaultError: the secrets of the webhook cannot be read.
    """
    keys: list[tuple[SigningKey, datetime | None]] = [
        (SigningKey(vault.decrypt(webhook.secret)), None)
    ]
    keys += [
        (SigningKey(vault.decrypt(previous.token)), previous.until)
        for previous in load_previous_secrets(webhook)
    ]
    return Subscriber(
        id=webhook.id,
        user_id=webhook.user_id,
        url=webhook.url,
        event_types=tuple(orjson.loads(webhook.event_types)),
        filter=None if webhook.payload_filter is None else load_filter(webhook.payload_filter),
        keys=tuple(keys),
        success=Success(webhook.success),
        retry=load_retry_policy(webhook.retry),
        headers=load_headers(webhook, vault),
        rate=webhook.rate,
        concurrency=webhook.concurrency,
        is_active=webhook.status == WebhookStatus.ACTIVE,
        waits_until=webhook.waits_until,
    )


def load_headers(webhook: Webhook, vault: Vault) -> dict[str, str]:
    """Return the custom headers of a webhook.

    Raises:
        VaultError: the headers cannot be read.
    """
    if webhook.headers is None:
        return {}
    headers: dict[str, str] = orjson.loads(vault.decrypt(webhook.headers))
    return headers


def select_subscribers(user_id: int, vault: Vault) -> list[Subscriber]:
    """Return the active webhooks of a user."""
    active = Webhook.of_user(user_id).where(Webhook.status == WebhookStatus.ACTIVE)
    return [to_subscriber(webhook, vault) for webhook in active]


def find_stale_secrets(vault: Vault) -> dict[int, dict[str, str]]:
    """Return new columns for secrets that the vault's present key did not encrypt.

    The result maps webhook numbers to column names to values.

    Raises:
        VaultError: a secret cannot be read.
    """
    stale: dict[int, dict[str, str]] = {}
    for webhook in Webhook.select():
        for field in ("secret", "headers"):
            value = getattr(webhook, field)
            if value is not None and (token := vault.refresh(value)) != value:
                stale.setdefault(webhook.id, {})[field] = token
        previous = load_previous_secrets(webhook)
        fresh = [each._replace(token=vault.refresh(each.token)) for each in previous]
        if fresh != previous and (column := dump_previous_secrets(fresh)) is not None:
            stale.setdefault(webhook.id, {})["previous_secrets"] = column
    return stale


def replace_secrets(tokens: Mapping[int, Mapping[str, str]]) -> None:
    """Store the result of `find_stale_secrets`."""
    # Without this pragma the former value, maybe plain text, could stay in the free space of
    # the database file.
    Webhook.raw("PRAGMA secure_delete = ON").execute()
    for webhook_id, columns in tokens.items():
        Webhook.update(columns).where(Webhook.id == webhook_id).execute()
