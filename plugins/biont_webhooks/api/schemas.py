"""REST schemas of webhooks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated

import orjson
from pydantic import AfterValidator, ConfigDict, Field, JsonValue

from biont import Schema
from biont.http import MergePatch
from biont.security import Vault
from biont.store import dump_json
from biont_webhooks.delivery.endpoint_waits import find_present_wait
from biont_webhooks.subscription.custom_headers import (
    HeaderPatch,
    Headers,
    merge_headers,
    redact_headers,
)
from biont_webhooks.subscription.event_patterns import EventPatterns
from biont_webhooks.subscription.payload_filter import Filter, dump_filter
from biont_webhooks.subscription.previous_secrets import find_last_end
from biont_webhooks.subscription.retry_policy import Retry, Success, dump_retry
from biont_webhooks.subscription.signing import validate_secret
from biont_webhooks.subscription.subscriber import load_headers
from biont_webhooks.tables import Webhook, WebhookStatus

Url = Annotated[str, Field(max_length=2000)]
Secret = Annotated[str, AfterValidator(validate_secret)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Rate = Annotated[float, Field(gt=0, le=10_000)]
Concurrency = Annotated[int, Field(ge=1, le=100)]


class WebhookFields(Schema):
    """Fields of a webhook that a client may choose and change."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: Name | None = None
    event_types: EventPatterns = Field(["*"])
    filter: Filter | None = Field(
        None, description="The filter that the payload of an event has to match."
    )
    success: Success = Field(Success.OK, description="The answers that count as a success.")
    retry: Retry = Field(
        "none",
        description="The retries of a failed delivery: `none`, `standard`, or the seconds to wait "
        "before each retry.",
    )
    rate: Rate | None = Field(None, description="The most attempts that begin in a second.")
    concurrency: Concurrency | None = Field(
        None,
        description="The most simultaneous attempts, instead of the setting.",
    )


class NewWebhook(WebhookFields):
    """Webhook to register."""

    url: Url
    headers: Headers | None = None
    secret: Secret | None = Field(
        None, description="The secret that signs requests; generated when left out."
    )


class WebhookChange(MergePatch, WebhookFields):
    """Fields to change, as a JSON merge patch (RFC 7396).

    The secret is replaced by `rotate-secret`.
    """

    url: Url = ""
    name: Name | None = Field(None, description="The new name; null removes the name.")
    filter: Filter | None = Field(
        None,
        description="The new filter, which replaces the present filter as a whole; null removes "
        "the filter, so that any payload matches.",
    )
    headers: HeaderPatch | None = Field(
        None,
        description="Headers to set, merged one by one by name; null for a header removes the "
        "header, and null for the field removes all.",
    )
    rate: Rate | None = Field(
        None, description="The most attempts that begin in a second; null removes the limit."
    )
    concurrency: Concurrency | None = Field(
        None, description="The most simultaneous attempts; null for the setting."
    )


class NewSecret(Schema):
    """New secret of a webhook."""

    model_config = ConfigDict(extra="forbid")

    secret: Secret | None = Field(None, description="The new secret; generated when left out.")


class WebhookView(Schema):
    """Webhook without its secret."""

    state_fields = frozenset(
        {
            "status",
            "disabled_reason",
            "failing_since",
            "waits_until",
            "previous_secret_until",
            "updated_at",
        }
    )

    id: int
    name: str | None
    url: str
    event_types: list[str]
    filter: dict[str, JsonValue] | None
    success: Success
    retry: str | list[float]
    headers: dict[str, str] = Field(description="The custom headers, with redacted values.")
    rate: float | None
    concurrency: int | None
    status: WebhookStatus = Field(
        description="While a webhook is `paused` or `disabled`, no deliveries are created, and "
        "pending deliveries wait. A webhook is disabled when its receiver keeps failing: ten "
        "attempts or more in at least five days, and none succeeded."
    )
    disabled_reason: str | None
    failing_since: datetime | None = Field(
        description="The first failed attempt after the last successful one, or after five days "
        "without an attempt; null while attempts succeed. Tests do not count."
    )
    waits_until: datetime | None = Field(
        description="The instant before which no attempt begins, because the receiver has "
        "answered 429 or 503 with `Retry-After`; an hour later at most. A resume, or another URL, "
        "ends the wait. Null when the endpoint does not wait."
    )
    previous_secret_until: datetime | None = Field(
        description="The instant until which replaced secrets still sign, after several rotations "
        "the last one; null when none signs any more."
    )
    created_at: datetime
    updated_at: datetime


class CreatedWebhook(WebhookView):
    """Webhook with its new secret."""

    secret: str = Field(description="The secret that signs requests. Shown only this once.")


Warnings = Annotated[
    list[str],
    Field(
        description="The event types that no plugin declares, each with the nearest declared "
        "name: the webhook receives no such event."
    ),
]


class RegisteredWebhook(CreatedWebhook):
    """Webhook with its new secret, and warnings."""

    warnings: Warnings


class ChangedWebhook(WebhookView):
    """Webhook after a change, and warnings."""

    warnings: Warnings


def list_columns(webhook: NewWebhook, vault: Vault) -> dict[str, object]:
    """Return the fields of a new webhook, without the secret, as columns of the table."""
    names = NewWebhook.model_fields.keys() - {"secret", "headers"}
    return _to_columns(webhook, names) | {"headers": _dump_headers(webhook.headers, vault)}


def list_changes(change: WebhookChange, webhook: Webhook, vault: Vault) -> dict[str, object]:
    """Return the columns of a webhook that a merge patch sets.

    Raises:
        InvalidInput: the webhook would have too many headers.
    """
    given = change.model_fields_set
    columns = _to_columns(change, given - {"headers"})
    if columns.get("url", webhook.url) != webhook.url:
        # The receiver at the former URL asked for the wait.
        columns["waits_until"] = None
    if "headers" in given:
        present = {} if change.headers is None else load_headers(webhook, vault)
        columns["headers"] = _dump_headers(merge_headers(present, change.headers or {}), vault)
    return columns


def _to_columns(fields: WebhookFields, names: Collection[str]) -> dict[str, object]:
    encoded = {
        "event_types": dump_json(fields.event_types),
        "payload_filter": None if fields.filter is None else dump_filter(fields.filter),
        "retry": dump_retry(fields.retry),
    }
    columns = ["payload_filter" if name == "filter" else name for name in names]
    return {
        column: encoded[column] if column in encoded else getattr(fields, column)
        for column in columns
    }


def _dump_headers(headers: Mapping[str, str] | None, vault: Vault) -> str | None:
    return vault.encrypt(dump_json(dict(headers))) if headers else None


def make_webhook_view(webhook: Webhook, vault: Vault, now: datetime) -> WebhookView:
    """Return the view of a webhook."""
    return WebhookView(
        id=webhook.id,
        name=webhook.name,
        url=webhook.url,
        event_types=orjson.loads(webhook.event_types),
        filter=None if webhook.payload_filter is None else orjson.loads(webhook.payload_filter),
        success=Success(webhook.success),
        retry=orjson.loads(webhook.retry),
        headers=redact_headers(load_headers(webhook, vault)),
        rate=webhook.rate,
        concurrency=webhook.concurrency,
        status=WebhookStatus(webhook.status),
        disabled_reason=webhook.disabled_reason,
        failing_since=webhook.failing_since,
        waits_until=find_present_wait(webhook.waits_until, now),
        previous_secret_until=find_last_end(webhook, now),
        created_at=webhook.created_at,
        updated_at=webhook.updated_at,
    )
