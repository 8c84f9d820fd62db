"""Environment variables as a source of settings."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource

from biont.settings.documents import KeyPath
from biont.settings.variable_names import DELIMITER, PREFIX


def read_variables(
    model: type[BaseModel], path: KeyPath, variables: Mapping[str, str]
) -> dict[str, object]:
    """Return the values that variables set in the section at `path`, in the shape of `model`.

    Unknown keys are kept, so that the model can refuse them.
    """
    return _Variables(model, path, variables).read()


class _Variables(EnvSettingsSource):
    """Source of one section's values: text fields verbatim, all other fields from JSON."""

    def __init__(
        self, model: type[BaseModel], path: KeyPath, variables: Mapping[str, str]
    ) -> None:
        # pydantic-settings reads fields below a prefix; the core's settings get "biont" as such.
        self._name = DELIMITER.join(["biont", *map(str, path)]).replace("-", "_")
        section = (model, Field(validation_alias=self._name))
        super().__init__(
            create_model("Sections", __base__=BaseSettings, section=section),
            env_nested_delimiter=DELIMITER,
        )
        self.env_vars = {
            DELIMITER.join(["biont", variable.removeprefix(PREFIX).lower()]): value
            for variable, value in variables.items()
        }

    def read(self) -> dict[str, object]:
        section: dict[str, object] = self().get(self._name, {})
        return section

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: object) -> object:
        """Return the decoded JSON; keep invalid JSON and sections, so that the model refuses."""
        annotation = getattr(field, "annotation", None)  # below a mapping there is no field
        if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
            return value
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value
