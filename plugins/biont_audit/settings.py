"""Settings of the event log: ``plugins.audit``."""

from __future__ import annotations

from pydantic import Field

from biont import Section


class AuditSettings(Section):
    """Retention of the event log, and the limit of streams."""

    keep_days: int = Field(
        365, ge=0, le=100_000, description="Days that an event stays in the log; 0 is for ever."
    )
    streams: int = Field(
        20, ge=1, le=10_000, description="Streams that one user may have open at once."
    )
