"""Settings section ``plugins.notes``."""

from __future__ import annotations

from pydantic import Field

from biont import Section


class NotesSettings(Section):
    """Limit of notes."""

    storage: int | None = Field(
        1024**3,
        ge=1,
        description="Most bytes of one user's notes with their earlier versions; null for any. "
        "Answers of schedules and missions are kept beyond the limit.",
    )
