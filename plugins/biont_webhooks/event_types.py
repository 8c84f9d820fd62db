"""The events that the plugin itself emits."""

from __future__ import annotations

from biont import EventType, Schema


class WebhookDisabled(Schema):
    """Which webhook it is."""

    webhook_id: int
    url: str
    reason: str


WEBHOOK_DISABLED = EventType(
    "webhook_disabled", WebhookDisabled, "A webhook was disabled since its receiver fails."
)
