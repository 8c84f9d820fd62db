"""What REST clients send and see of webhooks."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

import orjson
from pydantic import AfterValidator, ConfigDict, Field, JsonValue

from biont import Schema
from biont.security import Vault
from biont_webhooks.subscription.custom_headers import Headers, mask_headers
from biont_webhooks.subscription.event_patterns import EventPatterns
from biont_webhooks.subscription.payload_filter import Filter, dump_filter
from biont_webhooks.subscription.retry_policy import Retry, Success, dump_retry
from biont_webhooks.subscription.signing import validate_secret
from biont_webhooks.subscription.subscriber import read_headers
from biont_webhooks.tables import Webhook, WebhookStatus

Url = Annotated[str, Field(max_length=2000)]
Secret = Annotated[str, AfterValidator(validate_secret)]


class WebhookFields(Schema):
    """What may be chosen of a webhook, and changed later."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    event_types: EventPatterns = Field(["*"])
    filter: Filter | None = Field(None, description="What an event's payload has to match.")
    success: Success = Field(Success.OK, description="Which answers count as a success.")
    retry: Retry = Field(
        "none",
        description="When a failed delivery is attempted again: `none`, `standard`, or the "
        "seconds to wait before each retry.",
    )
    headers: Headers | None = None
    rate: Annotated[float, Field(gt=0, le=10_000)] | None = Field(
        None, description="How many attempts begin in a second at most."
    )
    concurrency: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None, description="How many attempts are under way at most, instead of the setting."
    )


class NewWebhook(WebhookFields):
    """Who wants to be told what."""

    url: Url
    secret: Secret | None = Field(
        None, description="What requests are signed with; made for you when you leave it out."
    )


def _omit_defaults(schema: dict[str, JsonValue]) -> None:
    properties = schema["properties"]
    assert isinstance(properties, dict)  # noqa: S101  # narrows the type for mypy
    for field in properties.values():
        if isinstance(field, dict):
            field.pop("default", None)


class WebhookChange(WebhookFields):
    """What is to change; what is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra=_omit_defaults)

    url: Url = ""


class NewSecret(Schema):
    """What requests are to be signed with from now on."""

    model_config = ConfigDict(extra="forbid")

    secret: Secret | None = Field(None, description="Made for you when you leave it out.")


class WebhookView(Schema):
    """A webhook as it may be shown: without its secret."""

    id: int
    name: str | None
    url: str
    event_types: list[str]
    filter: dict[str, JsonValue] | None
    success: Success
    retry: str | list[float]
    headers: dict[str, str] = Field(description="The headers of its own; values are masked.")
    rate: float | None
    concurrency: int | None
    status: WebhookStatus = Field(
        description="While it is `paused`, or was `disabled` since it kept failing, no event "
        "becomes owed to it, and what is owed waits."
    )
    disabled_reason: str | None
    failing_since: datetime | None = Field(
        description="Since when no attempt has succeeded; null when the last one did."
    )
    previous_secret_until: datetime | None = Field(
        description="How long the secret that was replaced last signs along."
    )
    created_at: datetime
    updated_at: datetime


class CreatedWebhook(WebhookView):
    """A webhook that has a new secret."""

    secret: str = Field(description="What requests are signed with. Shown only this once.")


def to_columns(fields: WebhookFields, names: Collection[str], vault: Vault) -> dict[str, object]:
    """Return those of `fields` that are called `names` as the table keeps them."""
    encoded = {
        "event_types": orjson.dumps(fields.event_types).decode(),
        "payload_filter": None if fields.filter is None else dump_filter(fields.filter),
        "retry": dump_retry(fields.retry),
        "headers": vault.encrypt(orjson.dumps(fields.headers).decode())
        if fields.headers
        else None,
    }
    columns = ["payload_filter" if name == "filter" else name for name in names]
    return {
        column: encoded[column] if column in encoded else getattr(fields, column)
        for column in columns
    }


def show_webhook(webhook: Webhook, vault: Vault) -> WebhookView:
    """Return a webhook as its user sees it."""
    return WebhookView(
        id=webhook.id,
        name=webhook.name,
        url=webhook.url,
        event_types=orjson.loads(webhook.event_types),
        filter=None if webhook.payload_filter is None else orjson.loads(webhook.payload_filter),
        success=Success(webhook.success),
        retry=orjson.loads(webhook.retry),
        headers=mask_headers(read_headers(webhook, vault)),
        rate=webhook.rate,
        concurrency=webhook.concurrency,
        status=WebhookStatus(webhook.status),
        disabled_reason=webhook.disabled_reason,
        failing_since=webhook.failing_since,
        previous_secret_until=webhook.previous_secret_until,
        created_at=webhook.created_at,
        updated_at=webhook.updated_at,
    )
