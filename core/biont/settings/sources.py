"""What the operator wrote, from all sources, with the place of each value."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError

from biont.exceptions import SettingsError
from biont.settings.documents import Document, KeyPath, join, read_document
from biont.settings.environment import DELIMITER, PREFIX, name_variable, read_variables
from biont.settings.error_messages import explain, suggest

M = TypeVar("M", bound=BaseModel)

_NOT_SETTINGS = frozenset({"BIONT_CONFIG", "BIONT_KEY", "BIONT_WEBHOOK_SECRET"})
"""Variables that stand for options of commands."""


@dataclass(frozen=True)
class Sources:
    """The files, merged, and the variables that stand over them.

    Attributes:
        document: what the files say together, and what is wrong with them.
        variables: the environment's part that is ours, by name.
    """

    document: Document = field(default_factory=Document)
    variables: Mapping[str, str] = field(default_factory=dict)

    def load(self, model: type[M], path: KeyPath = ()) -> M:
        """Return the section at `path`, checked against its model.

        A model that does not say what becomes of unknown keys refuses them.

        Raises:
            SettingsError: it is not what the model asks for; all problems are named.
        """
        written = self._find_written(path)
        said = read_variables(model, path, self.variables)
        extra: Literal["forbid"] | None = None if "extra" in model.model_config else "forbid"
        try:
            return model.model_validate(_overlay(written, said) if said else written, extra=extra)
        except ValidationError as error:
            raise SettingsError(
                [
                    f"{self.locate((*path, *below))}: {message}"
                    for below, message in explain(error, model)
                ]
            ) from error

    def find_strangers(self, path: KeyPath, known: Collection[str]) -> list[str]:
        """Return a problem for each key in the section at `path` that is not known."""
        written = self._find_written(path)
        strangers = set(written) - set(known) if isinstance(written, dict) else set()
        variables = {name_variable((*path, name)) for name in known}
        prefix = name_variable((*path, ""))
        for variable in self.variables:
            name = variable.removeprefix(prefix).partition(DELIMITER)[0]
            if variable.startswith(prefix) and prefix + name not in variables:
                strangers.add(name.lower())
        return [
            f"{self.locate((*path, name))}: is not known; {suggest(name, known)}"
            for name in sorted(strangers)
        ]

    def locate(self, path: KeyPath) -> str:
        """Return where the value at `path`, or the section that lacks it, was written."""
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

    def _find_written(self, path: KeyPath) -> object:
        found: object = self.document.values
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return {} if found is None else found


def read_sources(config: Path | None, environ: Mapping[str, str]) -> Sources:
    """Read the files of `config`, a folder or one file, and the variables of ours."""
    merged = Document()
    if config is not None:
        for path in _find_files(config, merged.problems):
            _merge(merged, read_document(path))
    variables = {
        name.upper(): value
        for name, value in environ.items()
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
            problem = f"{place}: is set otherwise at {merged.places[at]}; keep one of the two"
            merged.problems.append(problem)


def _overlay(below: object, above: object) -> object:
    """Lay one tree of values over another, key by key."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: _overlay(below.get(key), value) for key, value in above.items()}


def _shorten(path: KeyPath) -> Iterator[KeyPath]:
    for length in range(len(path), 0, -1):
        yield path[:length]
