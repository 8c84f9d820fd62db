"""Event types that the plugin emits."""

from __future__ import annotations

from biont import EventType, Schema


class WebhookDisabled(Schema):
    """Payload of ``webhook_disabled``."""

    webhook_id: int
    url: str
    reason: str


WEBHOOK_DISABLED = EventType(
    "webhook_disabled",
    WebhookDisabled,
    "A webhook was disabled because its receiver keeps failing.",
)
