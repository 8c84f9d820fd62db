"""Form fields: the query and body of an API call, read from the fields of an HTML form.

A form has only texts. The name of a field says the place and the type of the value:

    `body.NAME`, `body.NAME.PART`   a member of the JSON body
    `query.NAME`                    a query parameter
    `...:TYPE`                      `int`, `float`, `bool`, `json`, `lines`, `words`, `commas` or
                                    `instant`
    `...:optional`                  left out if the field is empty
    `...:null`                      null if the field is empty

A checkbox that is not ticked sends nothing, so a hidden field of the same name with ``false``
stands before it; the last value counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import orjson
from pydantic import JsonValue

from biont.exceptions import InputProblem, InvalidInput

_DEPTH = 4


def _read_bool(text: str) -> bool:
    return text in ("true", "on", "1")


def _read_lines(text: str) -> JsonValue:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _read_words(text: str) -> JsonValue:
    return [word for word in text.replace(",", " ").split() if word]


def _read_commas(text: str) -> JsonValue:
    return [part.strip() for part in text.split(",") if part.strip()]


def _read_integer(text: str) -> int:
    # The API has no larger numbers; Python itself refuses texts of thousands of digits.
    if not -(2**63) <= (number := int(text)) < 2**63:
        raise ValueError("the number is too large")
    return number


def _read_number(text: str) -> JsonValue:
    return float(text) if "." in text else _read_integer(text)


def read_instant(text: str) -> str:
    """Return an instant; browsers send local ones without an offset, which count as UTC."""
    has_offset = text.endswith("Z") or "+" in text or text[10:].count("-") > 0
    seconds = text if text.count(":") > 1 or has_offset else f"{text}:00"
    return seconds if has_offset else f"{seconds}Z"


def _read_json(text: str) -> JsonValue:
    found: JsonValue = orjson.loads(text)
    return found


_TYPES: Mapping[str, tuple[Callable[[str], JsonValue], str]] = MappingProxyType(
    {
        "int": (_read_integer, "must be a whole number of at most 64 bits"),
        "float": (_read_number, "must be a number of at most 64 bits"),
        "bool": (_read_bool, "must be true or false"),
        "json": (_read_json, "must be JSON"),
        "lines": (_read_lines, "must be text"),
        "words": (_read_words, "must be words"),
        "commas": (_read_commas, "must be texts"),
        "instant": (read_instant, "must be an instant"),
    }
)


def read_fields(
    fields: Iterable[tuple[str, str]],
) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """Return the body and the query that the fields of a form say.

    Raises:
        InvalidInput: the text of a field has not the type of the field.
    """
    body: dict[str, JsonValue] = {}
    query: dict[str, JsonValue] = {}
    problems: list[InputProblem] = []
    for name, text in fields:
        place, _, options = name.partition(":")
        kind, _, path = place.partition(".")
        if kind not in ("body", "query") or not path:
            continue
        parts = path.split(".")[:_DEPTH]
        try:
            is_there, value = _read_value(text, options.split(":"))
        except ValueError as error:
            problems.append(InputProblem(str(error), "#/" + "/".join(parts)))
            continue
        if is_there:
            _put(body if kind == "body" else query, parts, value)
    if problems:
        raise InvalidInput(*problems)
    return body, query


def _read_value(text: str, options: list[str]) -> tuple[bool, JsonValue]:
    """Return whether a field has a value, and the value."""
    if not text.strip():
        if "optional" in options:
            return False, None
        if "null" in options:
            return True, None
    for option in options:
        if option in _TYPES:
            read, message = _TYPES[option]
            try:
                return True, read(text.strip())
            except ValueError as error:
                raise ValueError(message) from error
    # Browsers end the lines of a text area like this.
    return True, text.replace("\r\n", "\n")


def _put(target: dict[str, JsonValue], parts: list[str], value: JsonValue) -> None:
    *path, last = parts
    for part in path:
        inner = target.setdefault(part, {})
        if not isinstance(inner, dict):
            inner = target[part] = {}
        target = inner
    target[last] = value
