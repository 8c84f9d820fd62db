"""Examples for the documentation, made from JSON schemas."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import JsonValue

_Definitions = Mapping[str, JsonValue]
_Schema = Mapping[str, JsonValue]

_DEEPEST = 5
"""The depth at which optional members end, so that recursive schemas have an example."""

_FORMATS: Mapping[str, str] = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T09:00:00Z",
    "uuid": "019c0a3e-7b1d-7c42-8f65-0d3b1a2c4e5f",
    "uri": "https://example.com/",
}


def make_example(
    schema: JsonValue, definitions: _Definitions, *, is_request: bool = False
) -> JsonValue:
    """Return a value of a schema.

    Args:
        schema: the schema; its own examples are preferred.
        definitions: the schemas to which `schema` refers, by name.
        is_request: whether to leave out members that are optional and have no example.
    """
    return _make(schema, "text", definitions, 0 if not is_request else _DEEPEST)


def _make(schema: JsonValue, name: str, definitions: _Definitions, depth: int) -> JsonValue:
    if not isinstance(schema, Mapping):
        return None
    for known, take in _GIVEN.items():
        if known in schema:
            return take(schema[known])
    target, choices = schema.get("$ref"), schema.get("anyOf", schema.get("oneOf"))
    if isinstance(target, str) or isinstance(choices, list):
        meant = (
            _choose(choices, depth)
            if isinstance(choices, list)
            else definitions[str(target).rpartition("/")[2]]
        )
        return _make(meant, name, definitions, depth)
    if schema.get("type") == "object":
        return _make_object(schema, definitions, depth + 1)
    if schema.get("type") == "array" and (depth <= _DEEPEST or schema.get("minItems")):
        return [_make(schema.get("items"), name, definitions, depth + 1)]
    return _make_plain(schema, name)


def _make_plain(schema: _Schema, name: str) -> JsonValue:
    match schema.get("type"):
        case "integer" | "number":
            return schema.get("minimum") or 1
        case "boolean":
            return True
        case "string":
            return _FORMATS.get(str(schema.get("format")), name)
        case "array":
            return []
    return None


def _make_object(schema: _Schema, definitions: _Definitions, depth: int) -> JsonValue:
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, Mapping):
        return {}
    needed = required if isinstance(required, list) else []
    shown = {
        name: value
        for name, value in properties.items()
        if depth <= _DEEPEST or name in needed or _has_examples(value)
    }
    return {
        name: _make(value, name, definitions, depth)
        for name, value in (shown or dict([*properties.items()][:1])).items()
    }


def _has_examples(schema: JsonValue) -> bool:
    return isinstance(schema, Mapping) and "examples" in schema


def _choose(choices: list[JsonValue], depth: int) -> JsonValue:
    """Return the first alternative with an example, else the first that is not null.

    Deep down it is null, where null is an alternative: models may contain themselves.
    """
    real = [each for each in choices if isinstance(each, Mapping) and each.get("type") != "null"]
    if depth > _DEEPEST and len(real) < len(choices):
        real = [each for each in real if _has_examples(each)]
    return next(filter(_has_examples, real), real[0] if real else None)


def _take_first(given: JsonValue) -> JsonValue:
    return given[0] if isinstance(given, list) and given else None


def _take(given: JsonValue) -> JsonValue:
    return given


_GIVEN: Mapping[str, Callable[[JsonValue], JsonValue]] = {
    "examples": _take_first,
    "example": _take,
    "const": _take,
    "enum": _take_first,
}
