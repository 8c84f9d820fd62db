"""JSON schemas of bodies that have exactly one of some fields."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import JsonValue

_NULL: JsonValue = {"type": "null"}


def exactly_one_of(*names: str) -> Callable[[dict[str, JsonValue]], None]:
    """Return a `json_schema_extra` for a model with exactly one of the fields `names`.

    The schema then has one alternative (``oneOf``) for each field. The model itself has to refuse
    bodies with none or several of the fields; the schema does not permit null for the others.
    """

    def split(schema: dict[str, JsonValue]) -> None:
        body = {key: schema.pop(key) for key in [*schema] if key not in ("title", "description")}
        properties, required = body.pop("properties", {}), body.pop("required", [])
        assert isinstance(properties, dict)  # noqa: S101  # narrows the type
        assert isinstance(required, list)  # noqa: S101  # narrows the type
        schema["oneOf"] = [
            {
                "title": f"By_{name}",
                **body,
                "properties": {
                    key: _drop_null(value) if key == name else value
                    for key, value in properties.items()
                    if key == name or key not in names
                },
                "required": [*required, name],
            }
            for name in names
        ]

    return split


def _drop_null(field: JsonValue) -> JsonValue:
    """Return the schema of a field that has to be given."""
    if not isinstance(field, dict):
        return field
    rest = {key: value for key, value in field.items() if key not in ("default", "anyOf")}
    kinds = field.get("anyOf")
    if not isinstance(kinds, list):
        return rest
    real = [kind for kind in kinds if kind != _NULL]
    if len(real) == 1 and isinstance(real[0], dict):
        return {**real[0], **rest}
    return {**rest, "anyOf": real}
