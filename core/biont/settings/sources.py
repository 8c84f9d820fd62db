"""Sources of settings: merged YAML files below environment variables, with places."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError

from biont.exceptions import SettingsError
from biont.settings.documents import Document, KeyPath, join, read_document
from biont.settings.environment import read_variables
from biont.settings.error_messages import explain, suggest
from biont.settings.variable_names import DELIMITER, PREFIX, name_variable

M = TypeVar("M", bound=BaseModel)

_NOT_SETTINGS = frozenset(
    {"BIONT_CONFIG", "BIONT_KEY", "BIONT_SERVER_URL", "BIONT_WEBHOOK_SECRET"}
)
"""Environment variables that are command options, not settings."""


@dataclass(frozen=True)
class Sources:
    """Merged files, and environment variables with precedence over the files.

    Attributes:
        document: the merged content of the files, and their problems.
        variables: the values of environment variables with the prefix ``BIONT_``, by name.
    """

    document: Document = field(default_factory=Document)
    variables: Mapping[str, str] = field(default_factory=dict)

    def load(self, model: type[M], path: KeyPath = ()) -> M:
        """Return the validated section at `path`.

        A model without a rule for unknown keys refuses unknown keys.

        Raises:
            SettingsError: the section is invalid; the error has all problems.
        """
        in_files = self._find_in_files(path)
        in_environment = read_variables(model, path, self.variables)
        extra: Literal["forbid"] | None = None if "extra" in model.model_config else "forbid"
        try:
            values = _overlay(in_files, in_environment) if in_environment else in_files
            return model.model_validate(values, extra=extra)
        except ValidationError as error:
            raise SettingsError(
                [
                    f"{self.locate((*path, *below))}: {message}"
                    for below, message in explain(error, model)
                ]
            ) from error

    def find_unknown_keys(self, path: KeyPath, known: Collection[str]) -> list[str]:
        """Return a problem for each unknown key in the section at `path`."""
        in_files = self._find_in_files(path)
        unknown = set(in_files) - set(known) if isinstance(in_files, dict) else set()
        variables = {name_variable((*path, name)) for name in known}
        prefix = name_variable((*path, ""))
        for variable in self.variables:
            name = variable.removeprefix(prefix).partition(DELIMITER)[0]
            if variable.startswith(prefix) and prefix + name not in variables:
                unknown.add(name.lower())
        return [
            f"{self.locate((*path, name))}: is not known; {suggest(name, known)}"
            for name in sorted(unknown)
        ]

    def locate(self, path: KeyPath) -> str:
        """Return the place of the value at `path`, or of the section that lacks the value."""
        for part in _shorten(path):
            if name_variable(part) in self.variables:
                return join(f"environment {name_variable(part)}", path[len(part) :])
        if path not in self.document.places:
            below = name_variable((*path, ""))
            for variable in self.variables:
                if variable.startswith(below):
                    return f"environment {variable}"
        places = (self.document.places.get(part) for part in _shorten(path))
        return join(next(filter(None, places), ""), path)

    def find_place(self, path: KeyPath) -> str | None:
        """Return the file and line, or the variable, that sets `path`; None for a default."""
        name, below = name_variable(path), name_variable((*path, ""))
        for variable in self.variables:
            if variable == name or variable.startswith(below):
                return f"environment {variable}"
        return self.document.places.get(path)

    def _find_in_files(self, path: KeyPath) -> object:
        found: object = self.document.values
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return {} if found is None else found


def read_sources(config: Path | None, environ: Mapping[str, str]) -> Sources:
    """Return the settings in the files of `config` and in the environment."""
    merged = Document()
    if config is not None:
        for path in _find_files(config, merged.problems):
            _merge(merged, read_document(path))
    variables = {
        name.upper(): value
        for name, value in environ.items()
        # Compose files and CI set unused variables to an empty text: that means "not set".
        if name.startswith(PREFIX) and name not in _NOT_SETTINGS and value
    }
    return Sources(merged, variables)


def _find_files(config: Path, problems: list[str]) -> list[Path]:
    if not config.is_dir():
        return [config]
    files = sorted(path for path in config.glob("*.yaml") if not path.name.startswith("."))
    if not files:
        problems.append(f"{config}: has no *.yaml file")
    return files


def _merge(merged: Document, document: Document) -> None:
    merged.problems += document.problems
    _merge_values(merged.values, document.values, (), merged, document)
    merged.places = document.places | merged.places


def _merge_values(
    values: dict[str, object],
    added: dict[str, object],
    path: KeyPath,
    merged: Document,
    document: Document,
) -> None:
    for key, value in added.items():
        at, present = (*path, key), values.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            _merge_values(present, value, at, merged, document)
        elif key not in values or (present is None and isinstance(value, dict)):
            values[key] = value
        elif present != value and not (value is None and isinstance(present, dict)):
            place = join(document.places[at], at)
            problem = f"{place}: has another value at {merged.places[at]}; keep one of the two"
            merged.problems.append(problem)


def _overlay(below: object, above: object) -> object:
    """Return the tree `below` with the values of the tree `above` put over it."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: _overlay(below.get(key), value) for key, value in above.items()}


def _shorten(path: KeyPath) -> Iterator[KeyPath]:
    for length in range(len(path), 0, -1):
        yield path[:length]
