"""REST schemas of inbound webhooks."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_network
from typing import Annotated

import orjson
from pydantic import AfterValidator, ConfigDict, Field, JsonValue

from biont import Schema
from biont.http import MergePatch
from biont_inbound.actions import ACTION, Action
from biont_inbound.presets import PRESETS
from biont_inbound.signatures import SignatureTemplate
from biont_inbound.tables import (
    ActionState,
    InboundDelivery,
    InboundRequest,
    InboundWebhook,
    Verdict,
)
from biont_webhooks import Filter


def _check_preset(name: str) -> str:
    if name not in PRESETS:
        raise ValueError(f"there is no preset {name!r}; choose from {', '.join(PRESETS)}")
    return name


def _check_network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise ValueError(
            f"must be an address or a network such as 192.0.2.0/24: {error}"
        ) from error


Name = Annotated[str, Field(min_length=1, max_length=100)]
PresetName = Annotated[
    str,
    AfterValidator(_check_preset),
    Field(json_schema_extra={"enum": [*PRESETS]}),
]
Secret = Annotated[str, Field(min_length=8, max_length=500, pattern=r"^[\x21-\x7e]+$")]
Network = Annotated[str, Field(max_length=50), AfterValidator(_check_network)]
Addresses = Annotated[list[Network], Field(min_length=1, max_length=100)]
Rate = Annotated[float, Field(ge=0.1, le=10_000)]

_FILTER = "The filter that the document of a request has to match: `event`, `body.action`."
_ADDRESSES = "The addresses and networks from which requests are accepted; null for all."
_RATE = "The most requests in a second, ten times as many in a burst; null for the setting."
_SIGNATURE = "The signature, instead of that of the preset."


class NewInboundWebhook(Schema):
    """Inbound webhook to create."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: Name
    preset: PresetName = Field(description="The sender; see `GET /webhooks/incoming/presets`.")
    signature: SignatureTemplate | None = Field(None, description=_SIGNATURE)
    secret: Secret | None = Field(
        None,
        description="The secret. Left out, the workbench makes one, or waits for the secret that "
        "the sender shows.",
    )
    action: Action
    filter: Filter | None = Field(None, description=_FILTER)
    addresses: Addresses | None = Field(None, description=_ADDRESSES)
    rate: Rate | None = Field(None, description=_RATE)


class InboundWebhookChange(MergePatch):
    """Fields to change, as a JSON merge patch (RFC 7396)."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: Name = ""
    signature: SignatureTemplate | None = Field(
        None, description="The new signature; null for that of the preset."
    )
    secret: Secret = Field(
        "", description="The secret that the sender shows; the former one ends at once."
    )
    action: Action = Field(None)  # type: ignore[assignment]  # a default that is never used
    filter: Filter | None = Field(None, description="The new filter; null for none.")
    addresses: Addresses | None = Field(None, description="The new addresses; null for all.")
    rate: Rate | None = Field(None, description="The new rate; null for the setting.")
    paused: bool = False


class InboundWebhookView(Schema):
    """Inbound webhook, without its URL and its secret."""

    state_fields = frozenset({"last_received_at", "updated_at", "previous_secrets_until"})

    id: int
    name: str
    preset: str
    signature: SignatureTemplate | None = Field(
        description="The signature; null for requests without signature."
    )
    has_secret: bool = Field(
        description="False while the secret of the sender is missing: all requests are refused."
    )
    previous_secrets_until: datetime | None = Field(
        description="The instant up to which replaced secrets are accepted; null for none."
    )
    action: Action
    filter: dict[str, JsonValue] | None
    addresses: list[str] | None
    rate: float | None
    paused: bool
    warnings: list[str]
    last_received_at: datetime | None
    created_at: datetime
    updated_at: datetime


class CreatedInboundWebhook(InboundWebhookView):
    """New inbound webhook, with its URL and secret, which are shown once."""

    url: str = Field(description="The URL for the sender. Keep it secret; it is shown once.")
    secret: str | None = Field(
        description="The secret for the sender, shown once; null if the sender makes the secret."
    )
    help: str = Field(description="The place of URL and secret at the sender.")


class InboundUrl(Schema):
    """New URL of an inbound webhook, which is shown once."""

    url: str


class InboundSecret(Schema):
    """Secret to use from now on."""

    model_config = ConfigDict(extra="forbid")

    secret: Secret | None = Field(
        None, description="The secret that the sender shows; generated when left out."
    )


class RotatedInboundSecret(Schema):
    """New secret, which is shown once."""

    secret: str
    previous_secrets_until: datetime | None


class InboundRequestView(Schema):
    """One of the last requests, without credentials."""

    id: int
    verdict: Verdict
    reason: str | None
    address: str
    headers: dict[str, str]
    body: str
    event_id: str | None
    received_at: datetime


class InboundDeliveryView(Schema):
    """Accepted request, with the result of its action."""

    id: int
    delivery_id: str | None
    event_id: str
    state: ActionState
    result: str | None = Field(description="The path of the result, such as of a note.")
    received_at: datetime


class InboundPresetView(Schema):
    """Well-known sender."""

    name: str
    title: str
    signature: SignatureTemplate | None
    event: str | None = Field(description="The place of the sender's name of an event.")
    makes_secret: bool = Field(description="The sender makes the secret, which you set here.")
    help: str
    docs: str


class TriedInboundRequest(Schema):
    """Request to try."""

    model_config = ConfigDict(extra="forbid")

    headers: Annotated[
        dict[Annotated[str, Field(max_length=200)], Annotated[str, Field(max_length=8000)]],
        Field(max_length=100),
    ] = Field(default_factory=dict)
    query: Annotated[
        dict[Annotated[str, Field(max_length=200)], Annotated[str, Field(max_length=2000)]],
        Field(max_length=100),
    ] = Field(default_factory=dict)
    body: Annotated[str, Field(max_length=262_144)] = Field("", description="The exact body.")
    check_signature: bool = Field(
        True, description="False tries filter and action alone, for a request without signature."
    )


class InboundTrial(Schema):
    """Result of a trial: the verdict, and the action that would follow."""

    verdict: Verdict
    reason: str | None
    event: str | None
    delivery_id: str | None
    action: dict[str, JsonValue] | None = Field(
        description="The action with the values of the request; null if the request does not act."
    )


def make_view(row: InboundWebhook, until: datetime | None) -> InboundWebhookView:
    """Return the REST view of a webhook.

    Args:
        row: the webhook.
        until: the instant up to which replaced secrets are accepted; None for none.
    """
    template = (
        None if row.template is None else SignatureTemplate.model_validate_json(row.template)
    )
    warnings = []
    if template is None:
        warnings.append("requests are not signed: anybody who knows the URL can send requests")
    elif template.timestamp is None and not template.ids:
        warnings.append("requests have neither time nor id: a repeated request acts again")
    return InboundWebhookView(
        id=row.id,
        name=row.name,
        preset=row.preset,
        signature=template,
        has_secret=row.secret is not None,
        previous_secrets_until=until,
        action=ACTION.validate_json(row.action),
        filter=None if row.payload_filter is None else orjson.loads(row.payload_filter),
        addresses=None if row.addresses is None else orjson.loads(row.addresses),
        rate=row.rate,
        paused=row.paused,
        warnings=warnings,
        last_received_at=row.last_received_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def make_request_view(row: InboundRequest) -> InboundRequestView:
    """Return the REST view of a request."""
    return InboundRequestView(
        id=row.id,
        verdict=row.verdict,
        reason=row.reason,
        address=row.address,
        headers=orjson.loads(row.headers),
        body=row.body,
        event_id=row.event_id,
        received_at=row.received_at,
    )


def make_delivery_view(row: InboundDelivery) -> InboundDeliveryView:
    """Return the REST view of an accepted request."""
    return InboundDeliveryView(
        id=row.id,
        delivery_id=row.delivery_id,
        event_id=row.event_id,
        state=row.state,
        result=row.result,
        received_at=row.received_at,
    )
