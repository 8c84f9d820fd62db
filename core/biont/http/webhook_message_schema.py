"""Headers and body of a delivery, for the OpenAPI and the AsyncAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import JsonValue

from biont.event_types import CUSTOM, CUSTOM_PATTERN, KnownType
from biont.http.causation_headers import CORRELATION, HOPS

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "webhook-id": "The event's id. Deliveries with the same id carry the same event.",
        "webhook-timestamp": "The time of this attempt, in seconds since 1970.",
        "webhook-signature": (
            "`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`, by Standard Webhooks."
        ),
        "X-ASI-Signature": (
            "The hex HMAC-SHA256 of the body; the key is the text of the webhook's secret."
        ),
    }
)
"""Description of each header that every delivery has, by name."""

CAUSATION_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        str(CORRELATION): "The correlation id of the event.",
        str(HOPS): (
            "The number of events up to this one in its chain. A request that echoes this header "
            "and the correlation id continues the chain."
        ),
    }
)
"""Description of each header that a delivery has, except a delivery from an old version."""


def describe_body(known: KnownType, payload: JsonValue) -> dict[str, JsonValue]:
    """Return the JSON schema of the body of a delivery.

    Args:
        known: the event type.
        payload: the JSON schema of the event type's payload.
    """
    name: dict[str, JsonValue] = {"type": "string", "const": known.name}
    if known.name == CUSTOM:
        name = {"type": "string", "pattern": CUSTOM_PATTERN}
    properties: dict[str, JsonValue] = {
        "id": {"type": "string", "format": "uuid"},
        "user_id": {"type": "integer", "description": "The user whom the event concerns."},
        "event_type": name,
        "created_at": {"type": "string", "format": "date-time"},
        "payload": payload,
    }
    return {"type": "object", "properties": properties, "required": list(properties)}
