"""What receivers of events get, as both documents describe it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import JsonValue

from biont.event_types import CUSTOM, CUSTOM_PATTERN, KnownType

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "webhook-id": "The event's id; the same id is the same event.",
        "webhook-timestamp": "When this attempt is made, in seconds since 1970.",
        "webhook-signature": (
            "`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`, as Standard Webhooks says."
        ),
        "X-ASI-Signature": (
            "The hex HMAC-SHA256 of the body; the key is the webhook's secret as it was shown."
        ),
    }
)
"""The headers of each delivery, with what they say."""


def describe_body(known: KnownType, payload: JsonValue) -> dict[str, JsonValue]:
    """Return the JSON schema of the body of a delivery.

    Args:
        known: the type of its event.
        payload: the JSON schema of what events of this type say.
    """
    name: dict[str, JsonValue] = {"type": "string", "const": known.name}
    if known.name == CUSTOM:
        name = {"type": "string", "pattern": CUSTOM_PATTERN}
    properties: dict[str, JsonValue] = {
        "id": {"type": "string", "format": "uuid"},
        "user_id": {"type": "integer", "description": "Whom it concerns."},
        "event_type": name,
        "created_at": {"type": "string", "format": "date-time"},
        "payload": payload,
    }
    return {"type": "object", "properties": properties, "required": list(properties)}
