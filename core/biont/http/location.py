"""Templates of paths, and the location of a created object, which is made from one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter


@dataclass(frozen=True, slots=True)
class _Fields:
    """Names in the location of a created object: path parameters, then fields of the result."""

    result: object
    path: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.path[name] if name in self.path else str(getattr(self.result, name))


@dataclass(frozen=True, slots=True)
class _Number:
    id: int


def make_location(template: str, result: object, path: Mapping[str, str]) -> str:
    """Return the path of a created object.

    Args:
        template: `Route.location`.
        result: the object.
        path: the values of the path parameters.

    Raises:
        AttributeError: the result lacks a field that the template names.
    """
    return template.format_map(_Fields(result, path))


def guess_location(template: str | None, result: object, path: Mapping[str, str]) -> str | None:
    """Return the path of the object that a write has created; None if the result names none.

    Args:
        template: `Route.location`.
        result: the object, its number, or a tuple with the object.
        path: the values of the path parameters.
    """
    if template is None:
        return None
    is_number = isinstance(result, int) and not isinstance(result, bool)
    candidates = [_Number(result) if is_number else result]  # type: ignore[arg-type]
    if isinstance(result, tuple):
        candidates += result
    for candidate in candidates:
        try:
            return make_location(template, candidate, path)
        except AttributeError:
            continue
    return None


def normalise_path(path: str) -> str:
    """Return `path` with the names of all parameters removed."""
    return "".join(
        literal + ("{}" if name is not None else "")
        for literal, name, _, _ in Formatter().parse(path)
    )
