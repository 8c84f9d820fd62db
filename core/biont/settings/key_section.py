"""Section ``keys`` of the settings."""

from __future__ import annotations

from pydantic import Field

from biont.settings.section import Section


class KeySettings(Section):
    """Settings of API keys."""

    expiry_warning_days: float = Field(
        7.0,
        ge=0,
        le=365,
        description="Days before the end of a key at which the event key_expiring is emitted, "
        "once for each key; 0 for no warnings.",
    )
    expiry_check_minutes: float = Field(
        10.0,
        ge=0.01,
        le=1440,
        description="Minutes between two searches for keys that end soon.",
    )
