"""AsyncAPI 3.0 document of the events that webhooks receive."""

from __future__ import annotations

from pydantic import JsonValue

from biont.event_types import EventTypes, KnownType
from biont.http.document.schemas import collect_schemas
from biont.http.webhook_message_schema import CAUSATION_HEADERS, HEADERS, describe_body

Document = dict[str, JsonValue]


def make_asyncapi(event_types: EventTypes, *, version: str) -> Document:
    """Return the document that describes the events of `event_types`."""
    payloads, schemas = collect_schemas(
        [(known.name, "validation", known.payload) for known in event_types]
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Biont Workbench",
            "version": version,
            "description": "Events as webhooks receive them, one POST each.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            known.name: _describe_channel(known, payloads[known.name]) for known in event_types
        },
        "operations": {known.name: _describe_operation(known) for known in event_types},
        "components": {
            "schemas": schemas,
            "messageTraits": {"signed": {"headers": _describe_headers()}},
        },
    }


def _describe_channel(known: KnownType, payload: JsonValue) -> Document:
    return {
        # Null, because each subscriber has a URL of its own.
        "address": None,
        "description": "The URL of each webhook that subscribes to this event type.",
        "messages": {
            known.name: {
                "name": known.name,
                "summary": known.description,
                "traits": [{"$ref": "#/components/messageTraits/signed"}],
                "payload": describe_body(known, payload),
            }
        },
    }


def _describe_operation(known: KnownType) -> Document:
    channel = f"#/channels/{known.name}"
    return {
        "action": "send",
        "summary": known.description,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{known.name}"}],
        "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
    }


def _describe_headers() -> Document:
    return {
        "type": "object",
        "properties": {
            name: {"type": "string", "description": meaning}
            for name, meaning in {**HEADERS, **CAUSATION_HEADERS}.items()
        },
        "required": list(HEADERS),
    }
