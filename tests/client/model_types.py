"""Python types of JSON schemas."""

from __future__ import annotations

import json
import keyword
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

Schema = dict[str, Any]
Schemas = Mapping[str, Schema]

WIDTH = 99
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_JSON = "JsonValue"


def get_name(reference: str) -> str:
    """Return the name of the schema to which a reference points."""
    return reference.rpartition("/")[2]


def find_names(value: object) -> Iterator[str]:
    """Yield the names of the schemas to which a schema refers, directly."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield get_name(value["$ref"])
        for inner in value.values():
            yield from find_names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from find_names(inner)


class Types:
    """Types of the values of schemas.

    Args:
        is_request: whether the values are sent; then a datetime is taken as well.
    """

    def __init__(self, *, is_request: bool) -> None:
        self._is_request = is_request

    def get(self, schema: Schema) -> str:
        """Return the type of the values of a schema."""
        if "$ref" in schema:
            return get_name(schema["$ref"])
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return " | ".join(dict.fromkeys(self.get(part) for part in schema[word]))
        if "enum" in schema:
            return f"Literal[{', '.join(map(_write_constant, schema['enum']))}]"
        if "const" in schema:
            return f"Literal[{_write_constant(schema['const'])}]"
        return self._get_by_type(schema)

    def _get_by_type(self, schema: Schema) -> str:
        kind = schema.get("type")
        if kind == "array":
            item = self.get(schema.get("items", {}))
            return f"{'Sequence' if self._is_request else 'list'}[{item}]"
        if kind == "object":
            values = schema.get("additionalProperties")
            item = self.get(values) if isinstance(values, dict) and values else _JSON
            return f"{'Mapping' if self._is_request else 'dict'}[str, {item}]"
        if schema.get("format") == "date-time" and self._is_request:
            return "str | datetime"
        return _PLAIN.get(str(kind), _JSON)


def merge_choices(schema: Schema, schemas: Schemas) -> Schema:
    """Return one object schema for a body that is one of several objects.

    A field is required if each of the objects requires the field.
    """
    if "$ref" in schema:
        return merge_choices(schemas[get_name(schema["$ref"])], schemas)
    parts = schema.get("oneOf") or schema.get("anyOf") or []
    choices = [part for part in parts if not is_null(part)]
    if not choices:
        return schema
    merged = [merge_choices(part, schemas) for part in choices]
    required: set[str] = set.intersection(*(set(part.get("required", [])) for part in merged))
    fields = {name: value for part in merged for name, value in part["properties"].items()}
    special = sorted({name for part in merged for name in part.get("required", [])} - required)
    text = schema.get("description", "")
    if special:
        text = f"{text}\n\nGive exactly one of {', '.join(f'`{name}`' for name in special)}."
    return {
        "description": text,
        "properties": fields,
        "required": [name for name in fields if name in required],
    }


def is_null(schema: Schema) -> bool:
    """Return whether only null is valid."""
    return schema.get("type") == "null"


def write_model(name: str, schema: Schema, *, is_request: bool) -> str:
    """Return the definition of a schema: a typed dictionary, or a name for a type."""
    get_type = Types(is_request=is_request).get
    if "properties" not in schema:
        return _write_alias(name, schema, get_type(schema))
    properties = schema["properties"].items()
    fields = {field: _mark(field, get_type(value), schema) for field, value in properties}
    if all(field.isidentifier() and not keyword.iskeyword(field) for field in fields):
        return _write_class(name, schema, fields)
    rows = "".join(f'        "{field}": "{_quote(kind)}",\n' for field, kind in fields.items())
    return f'{name} = TypedDict(\n    "{name}",\n    {{\n{rows}    }},\n)\n' + write_docstring(
        _describe(schema, name), ""
    )


def write_docstring(text: str, indent: str) -> str:
    """Return a docstring, with lines of the usual length."""
    wrapped = wrap(text, WIDTH - len(indent) - 3)
    if "\n" not in wrapped and len(wrapped) + len(indent) + 6 <= WIDTH:
        return f'{indent}"""{wrapped}"""\n'
    body = textwrap.indent(wrapped, indent).removeprefix(indent)
    return f'{indent}"""{body}\n{indent}"""\n'


def wrap(text: str, width: int) -> str:
    """Return a text with lines of at most `width` characters; empty lines stay."""
    lines = [
        textwrap.fill(
            line,
            width,
            subsequent_indent=" " * (len(line) - len(line.lstrip()) + 4 * line.startswith(" ")),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.replace("\\", "\\\\").splitlines()
    ]
    return "\n".join(lines)


def _write_alias(name: str, schema: Schema, kind: str) -> str:
    # A literal has no names that are defined further below, so that it needs no quotes.
    text = f"{name}: TypeAlias = " + (kind if "enum" in schema else f'"{_quote(kind)}"')
    if len(text) > WIDTH and "enum" in schema:
        rows = "".join(f"    {_write_constant(value)},\n" for value in schema["enum"])
        text = f"{name}: TypeAlias = Literal[\n{rows}]"
    return f"{text}\n{write_docstring(_describe(schema, name), '')}"


def _write_class(name: str, schema: Schema, fields: Mapping[str, str]) -> str:
    described = {
        field: " ".join(value["description"].split())
        for field, value in schema["properties"].items()
        if "description" in value
    }
    text = _describe(schema, name)
    if described:
        rows = "".join(f"    {field}: {meaning}\n" for field, meaning in described.items())
        text += f"\n\nAttributes:\n{rows.rstrip()}"
    rows = "".join(f"{_write_field(field, kind)}\n" for field, kind in fields.items())
    return f"class {name}(TypedDict):\n{write_docstring(text, '    ')}\n{rows}"


def _write_field(name: str, kind: str) -> str:
    line = f"    {name}: {kind}"
    if len(line) <= WIDTH:
        return line
    if kind.startswith("Literal[") and " | " not in kind:
        values = kind.removeprefix("Literal[").removesuffix("]").split(", ")
        rows = "".join(f"        {value},\n" for value in values)
        return f"    {name}: Literal[\n{rows}    ]"
    start, inner, end = f"    {name}: (", kind, ")"
    if kind.startswith("NotRequired["):
        start, inner, end = f"    {name}: NotRequired[", kind[len("NotRequired[") : -1], "]"
    rows = "\n        | ".join(inner.split(" | "))
    return f"{start}\n        {rows}\n    {end}"


def _describe(schema: Schema, name: str) -> str:
    text = str(schema.get("description", "")) or f"The values of `{name}`."
    first, gap, rest = text.partition("\n\n")
    return " ".join(first.split()).rstrip(".") + "." + gap + rest


def _mark(field: str, kind: str, schema: Schema) -> str:
    return kind if field in schema.get("required", []) else f"NotRequired[{kind}]"


def _quote(kind: str) -> str:
    return kind.replace('"', "'")


def _write_constant(value: object) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)
