"""Settings of integrations: ``plugins.integrations``."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, JsonValue, Secret, ValidationError, model_validator

from biont import Section
from biont.exceptions import describe_validation_error
from biont_integrations.kinds import KINDS

ConnectionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,49}$")]
KindName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,49}$")]


class Connection(Section):
    """A connection to an outside system; further keys are the settings of the kind."""

    model_config = ConfigDict(extra="allow")

    # Hidden all: only the kind knows which of its settings are secrets.
    __pydantic_extra__: dict[str, Secret[JsonValue]]

    kind: KindName = Field(
        "json",
        description="The kind: `json`, `slack`, `discord`, `ntfy`, or a kind of a plugin.",
    )
    reports: bool = Field(
        True, description="Receives the answers of schedules without `report_to`."
    )

    @property
    def kind_settings(self) -> dict[str, JsonValue]:
        """The settings of the kind, with secrets in plain text."""
        return {name: value.get_secret_value() for name, value in self.__pydantic_extra__.items()}

    @model_validator(mode="after")
    def _check_settings(self) -> Self:
        # A kind of another plugin is not known yet: its settings are checked at each message.
        for kind in KINDS:
            if kind.name == self.kind:
                try:
                    kind.settings.model_validate(self.kind_settings)
                except ValidationError as error:
                    # Without the cause, which may quote secrets.
                    raise ValueError(describe_validation_error(error, root=self.kind)) from None
        return self


class IntegrationsSettings(Section):
    """Connections to outside systems."""

    connections: dict[ConnectionName, Connection] = Field(
        default_factory=dict, description="Connections by name."
    )
    timeout: Annotated[float, Field(gt=0)] = Field(
        15.0, description="Largest duration of sending a message, in seconds."
    )
    quota: int | None = Field(
        50, ge=1, description="Most integrations that one user may connect; null for any."
    )
    keep_days: int = Field(
        90, ge=0, le=100_000, description="Days for which sent messages are kept; 0 for ever."
    )
