"""Settings section ``plugins.schedules``: declared schedules."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from biont import Section
from biont.exceptions import InvalidInput
from biont_schedules.timing import require_kind
from biont_schedules.views import NewSchedule

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]


class Declaration(NewSchedule):
    """Declared schedule: the body of `POST /api/v1/schedule` and the name of a user."""

    user: Annotated[str, Field(min_length=1)] = Field(
        description="Name of the user who owns the schedule."
    )

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        try:
            require_kind(self.list_columns())
        except InvalidInput as error:
            raise ValueError("; ".join(problem.detail for problem in error.problems)) from error
        return self


class SchedulesSettings(Section):
    """Schedules that the operator declares in a file."""

    declared: dict[Slug, Declaration] = Field(
        default_factory=dict,
        description="Schedules by slug. Each start creates, changes and removes schedules as the "
        "file has changed.",
    )
    quota: int | None = Field(
        10_000,
        ge=1,
        description="Most schedules of one user, with those of reminders and without declared "
        "ones; null for any.",
    )
    tool_interval: int = Field(
        900,
        ge=1,
        description="Shortest time between two occurrences of a schedule or reminder that a "
        "model makes, in seconds.",
    )
    tool_runs: int = Field(
        100, ge=1, description="Number of runs after which such a schedule is finished."
    )
