"""What the operator decides about missions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from biont import Section

Pause = Annotated[float, Field(ge=0)]


class MissionSettings(Section):
    """Within which limits missions go on."""

    concurrency: int = Field(
        4, ge=1, le=100, description="How many tasks of all missions go on at once."
    )
    tasks: int = Field(20, ge=1, le=200, description="How many tasks a mission has at most.")
    tokens: int = Field(
        200_000, ge=1, description="What a mission may cost when it does not say, in tokens."
    )
    reviews: int = Field(
        1,
        ge=0,
        le=10,
        description="How often a mission is reviewed, and may be given more tasks, when it does "
        "not say.",
    )
    tools: tuple[str, ...] = Field(
        ("search_notes", "read_note", "create_note"),
        description="The tools of a mission that does not say.",
    )
    retry: tuple[Pause, ...] = Field(
        (5.0, 30.0, 120.0),
        description="Pauses before a model is asked again that gave no answer, in seconds; after "
        "the last the mission has failed.",
    )
