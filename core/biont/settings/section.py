"""Section: the base class of the core's and the plugins' sections of the settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(gt=0)]
"""Type of a time that cannot be zero."""


class Section(BaseModel):
    """Immutable section of the settings; base class of plugins' sections.

    A section refuses unknown keys. ``server:`` without any key means the defaults.
    """

    # Frozen, because several threads read the settings. NaN is refused, because no
    # comparison with a limit would hold for it.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _read_empty_section(cls, value: object) -> object:
        # YAML reads a key without a value as null.
        return {} if value is None else value
