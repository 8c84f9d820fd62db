"""What the operator decides about webhooks."""

from __future__ import annotations

from pydantic import Field

from biont import Section

_DAY = 86_400.0


class WebhookSettings(Section):
    """How deliveries are made."""

    timeout: float = Field(15.0, gt=0, le=60, description="For one attempt, in seconds.")
    concurrency: int = Field(
        8, ge=1, le=100, description="How many attempts one webhook has under way at most."
    )
    connections: int = Field(
        256, ge=0, le=10_000, description="How many attempts all have beyond one for each."
    )
    rotation_overlap: float = Field(
        _DAY,
        ge=0,
        le=30 * _DAY,
        description="How long a secret that was replaced signs along, in seconds.",
    )
    keep_days: int = Field(
        30, ge=0, le=36_500, description="How long finished deliveries are kept; 0 for ever."
    )
