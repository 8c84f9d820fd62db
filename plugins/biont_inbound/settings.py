"""Settings of inbound webhooks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from biont import Section

_DAY = 86_400.0


class InboundSettings(Section):
    """Settings of inbound webhooks."""

    public_url: Annotated[str, Field(pattern=r"^https?://[^/?#]+(/[^?#]*)?$")] | None = Field(
        None,
        description="URL at which other systems reach this workbench, such as "
        "`https://biont.example.com`; null for the URL of each request.",
    )
    rate: float = Field(
        50.0,
        gt=0,
        le=10_000,
        description="Most requests in a second for an inbound webhook that sets no rate.",
    )
    rotation_overlap: float = Field(
        _DAY,
        ge=0,
        le=30 * _DAY,
        description="Time for which a replaced secret is still accepted, in seconds.",
    )
    quota: int | None = Field(
        100, ge=1, description="Most inbound webhooks of one user; null for any."
    )
    keep_days: int = Field(
        30,
        ge=1,
        le=36_500,
        description="Days for which the ids of requests are kept: a repeated id does not act.",
    )
