"""Settings of missions: ``plugins.missions``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from biont import Section

Pause = Annotated[float, Field(ge=0)]


class MissionSettings(Section):
    """Limits and defaults of missions."""

    concurrency: int = Field(
        4, ge=1, le=100, description="Tasks that run at once, over all missions."
    )
    tasks: int = Field(20, ge=1, le=200, description="Largest number of tasks in a mission.")
    tokens: int = Field(
        200_000, ge=1, description="Token budget of a mission that does not set `max_tokens`."
    )
    reviews: int = Field(
        1,
        ge=0,
        le=10,
        description="Reviews of a mission that does not set `reviews`; a review may add tasks.",
    )
    tools: tuple[str, ...] = Field(
        ("search_notes", "read_note", "create_note"),
        description="Tools of a mission that does not set `tools`.",
    )
    retry: tuple[Pause, ...] = Field(
        (5.0, 30.0, 120.0),
        description="Pauses in seconds before a model that gave no answer is asked again; after "
        "the last pause the mission fails.",
    )
