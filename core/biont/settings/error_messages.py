"""Error messages for operators, made from pydantic's errors, without any value."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from inspect import isclass
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from biont.settings.documents import KeyPath

_WORDS = {
    "missing": "is required",
    "model_type": "should be a section, with keys of its own",
    "dict_type": "should be a mapping; in a variable as JSON",
    "list_type": "should be a list; in a variable as JSON",
    "tuple_type": "should be a list; in a variable as JSON",
}
"""Messages for error types whose own messages address programmers."""

_REPEATING = {"value_error", "assertion_error", "union_tag_invalid"}
_SILENT = frozenset(get_args(ErrorType)) - _REPEATING
"""Error types whose messages depend on the model only, and so repeat no value."""


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[KeyPath, str]]:
    """Yield the path below `model` and the message of each problem."""
    for details in error.errors(include_url=False):
        yield details["loc"], _explain(details, model)


def suggest(name: str, known: Collection[str]) -> str:
    """Return a hint at the known name that is closest to an unknown `name`."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known names: {', '.join(names)}" if names else "no name is known here"


def _explain(details: ErrorDetails, model: type[BaseModel]) -> str:
    kind, path = details["type"], details["loc"]
    if kind == "extra_forbidden":
        return f"is not a known key; {suggest(str(path[-1]), _find_keys(model, path[:-1]))}"
    if kind in _WORDS:
        return _WORDS[kind]
    if kind in _SILENT:
        return details["msg"]
    return _redact_value(details["msg"].removeprefix("Value error, "), details["input"])


def _find_keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    """Return the keys of the section at `path`; empty for a section without a model."""
    for key in path:
        field = model.model_fields.get(str(key))
        section = field.annotation if field else None
        if not (isclass(section) and issubclass(section, BaseModel)):
            return []
        model = section
    return list(model.model_fields)


def _redact_value(message: str, value: object) -> str:
    """Return `message` with each text from `value` replaced by dots."""
    # Longest first, so that no part of a secret remains around a shorter text.
    for text in sorted(_find_texts(value), key=len, reverse=True):
        message = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", "...", message)
    return message


def _find_texts(value: object) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(_find_texts, value.values()))
    if isinstance(value, list | tuple):
        return set().union(*map(_find_texts, value))
    return {str(value), repr(str(value))[1:-1]} - {""}
