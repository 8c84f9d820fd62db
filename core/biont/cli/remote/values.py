"""Values of options: JSON values by the schema of a parameter or field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from biont.client.json_types import JsonValue

Schema = dict[str, Any]
_SCALARS = {"string", "integer", "number", "boolean"}


class SchemaType(click.ParamType[JsonValue]):
    """Type of an option whose value has a schema.

    Args:
        schema: the schema.
        schemas: the schemas to which `schema` refers.
    """

    def __init__(self, schema: Schema, schemas: dict[str, Schema]) -> None:
        self._parts = list(list_alternatives(schema, schemas))
        self._types = {part.get("type", "any") for part in self._parts} - {"null"}
        self.choices = [str(value) for part in self._parts for value in part.get("enum", [])]
        self.name = self._name()

    @property
    def is_flag(self) -> bool:
        """True if only true and false are valid."""
        return self._types == {"boolean"}

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> JsonValue:
        """Return the JSON value of a text.

        Raises:
            click.BadParameter: the text has no value of the schema.
        """
        if not isinstance(value, str):
            return value  # type: ignore[return-value]  # click converts a value twice
        if self.choices and self._types == {"string"} and value not in self.choices:
            self.fail(f"{value!r} is none of {', '.join(self.choices)}", param, ctx)
        for convert in (self._read_number, self._read_json):
            try:
                return convert(value)
            except ValueError:
                continue
        if self._types & {"string", "any"}:
            return value
        return self.fail(f"{value!r} is no {self.name.lower()}", param, ctx)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002  # the signature is click's
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[click.shell_completion.CompletionItem]:
        """Return the choices that begin with a text."""
        return [
            click.shell_completion.CompletionItem(choice)
            for choice in self.choices
            if choice.startswith(incomplete)
        ]

    def _read_number(self, text: str) -> JsonValue:
        if "boolean" in self._types and text in ("true", "false"):
            return text == "true"
        if "integer" in self._types:
            with_sign = text.removeprefix("-")
            if with_sign.isascii() and with_sign.isdecimal():
                return int(text)
        if "number" in self._types:
            return float(text)
        raise ValueError(text)

    def _read_json(self, text: str) -> JsonValue:
        is_open = "any" in self._types or (
            self._types & {"object", "array"} and text[:1] in ("{", "[", '"')
        )
        if not is_open:
            raise ValueError(text)
        value: JsonValue = json.loads(text)
        return value

    def _name(self) -> str:
        if self.choices and self._types == {"string"}:
            return "|".join(self.choices)
        if self._types & {"object", "array", "any"}:
            return "JSON"
        if any(part.get("format") == "date-time" for part in self._parts):
            return "TIME"
        names = {"string": "TEXT", "integer": "INTEGER", "number": "NUMBER", "boolean": "BOOLEAN"}
        return "|".join(names[each] for each in sorted(self._types, reverse=True)) or "JSON"


def list_alternatives(schema: Schema, schemas: dict[str, Schema]) -> Iterator[Schema]:
    """Yield the schemas of which a value matches one, without references."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        yield from list_alternatives({} if name == "JsonValue" else schemas.get(name, {}), schemas)
        return
    parts = schema.get("anyOf") or schema.get("oneOf")
    if not parts:
        yield schema
        return
    for part in parts:
        yield from list_alternatives(part, schemas)


def get_items(schema: Schema, schemas: dict[str, Schema]) -> Schema | None:
    """Return the schema of the items, for a list of scalars; None for any other schema."""
    parts = [part for part in list_alternatives(schema, schemas) if part.get("type") != "null"]
    if len(parts) != 1 or parts[0].get("type") != "array":
        return None
    items: Schema = parts[0].get("items", {})
    kinds = {part.get("type") for part in list_alternatives(items, schemas)}
    return items if kinds <= _SCALARS else None
