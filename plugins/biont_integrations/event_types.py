"""Event types of integrations."""

from __future__ import annotations

from pydantic import Field

from biont import EventType, Schema


class IntegrationConnected(Schema):
    """An integration that is proven to work."""

    integration: str = Field(description="The name.")
    kind: str
    integration_id: int | None = Field(
        description="The number; null for a connection in the operator's file."
    )


class IntegrationFailed(IntegrationConnected):
    """An integration that does not work any more."""

    reason: str


INTEGRATION_CONNECTED = EventType(
    "integration_connected",
    IntegrationConnected,
    "An integration has passed a test, has taken its first message, or works again.",
)
INTEGRATION_FAILED = EventType(
    "integration_failed",
    IntegrationFailed,
    "An integration has failed a test, or the first message after a success.",
)
