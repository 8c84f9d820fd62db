"""Event type of inbound webhooks."""

from __future__ import annotations

from pydantic import Field

from biont import EventType, Schema


class InboundReceived(Schema):
    """An accepted request of another system."""

    webhook_id: int
    name: str = Field(description="The name of the inbound webhook.")
    preset: str
    event: str | None = Field(description="The sender's name of the event.")
    delivery_id: str | None = Field(description="The id that the sender gave the request.")
    action: str = Field(description="`event`, `prompt`, `mission` or `note`.")


INBOUND_RECEIVED = EventType(
    "inbound_received",
    InboundReceived,
    "An inbound webhook has accepted a request; the action's events follow from this event.",
)
