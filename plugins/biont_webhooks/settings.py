"""Settings of webhooks."""

from __future__ import annotations

from pydantic import Field

from biont import Section

_DAY = 86_400.0


class WebhookSettings(Section):
    """Settings of deliveries."""

    timeout: float = Field(15.0, gt=0, le=60, description="Limit for one attempt, in seconds.")
    concurrency: int = Field(
        32, ge=1, le=100, description="Most simultaneous attempts for one webhook."
    )
    connections: int = Field(
        256,
        ge=0,
        le=10_000,
        description="Most simultaneous attempts for all webhooks, beyond one for each webhook.",
    )
    rotation_overlap: float = Field(
        _DAY,
        ge=0,
        le=30 * _DAY,
        description="Time for which a replaced secret still signs, in seconds.",
    )
    quota: int | None = Field(1000, ge=1, description="Most webhooks of one user; null for any.")
    keep_days: int = Field(
        30, ge=0, le=36_500, description="Days for which finished deliveries are kept; 0 for ever."
    )
