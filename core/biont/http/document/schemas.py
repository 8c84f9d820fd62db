"""Schemas of the documents: one public and unique name for each model.

Generated clients name their classes by these names. The first model of a name keeps the name, in
the order core, built-in plugins, other plugins. So a further plugin renames nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import TypeVar

import orjson
from pydantic import JsonValue, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from pydantic_core import core_schema

K = TypeVar("K")

_ROOT = "#/components/schemas/"
_GENERIC = re.compile(r"(\w+)\[(.+)\]")
_KEY = re.compile(r"(?P<path>.+?)(?:-(?P<mode>Input|Output))?(?:__(?P<number>[0-9]+))?")


class _SchemaGenerator(GenerateJsonSchema):
    """Generator of schemas that say what clients may rely on."""

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,  # the signature of pydantic
    ) -> bool:
        """Return whether a field is required: in a response also a field with a default."""
        if self.mode == "validation" or field["type"] == "typed-dict-field":
            return super().field_is_required(field, total)
        return field.get("serialization_exclude_if") is None

    def field_title_should_be_set(self, _schema: object) -> bool:
        """Return False: a title that repeats the name of the field tells a reader nothing."""
        return False


def collect_schemas(
    inputs: Sequence[tuple[K, JsonSchemaMode, TypeAdapter[object]]],
    is_inline: Callable[[K], bool] = lambda _: False,
) -> tuple[Mapping[K, JsonValue], dict[str, JsonValue]]:
    """Return the schema of each input by its key, and the shared schemas by their public names.

    Args:
        inputs: the key, the mode and the adapter of each schema.
        is_inline: tells for a key whether its model gets no name.
    """
    found, shared = TypeAdapter.json_schemas(
        [(number, mode, adapter) for number, (_, mode, adapter) in enumerate(inputs)],
        ref_template=_ROOT + "{model}",
        schema_generator=_SchemaGenerator,
    )
    definitions: dict[str, JsonValue] = dict(shared.get("$defs", {}))
    schemas: list[JsonValue] = []
    for number, (key, mode, _) in enumerate(inputs):
        schema: JsonValue = found[number, mode]
        if is_inline(key) and isinstance(schema, dict) and "$ref" in schema:
            schema = definitions[str(schema["$ref"]).removeprefix(_ROOT)]
        schemas.append(schema)
    names = _make_names(definitions, schemas)
    named: dict[str, JsonValue] = {}
    for name, model in sorted((name, model) for model, name in names.items()):
        schema = _rename(definitions[model], names)
        if isinstance(schema, dict):
            # Generators of clients take the title for the name: two equal titles would collide.
            named |= _name_alternatives(name, {**_explain_defaults(schema), "title": name})
    keys = [key for key, _, _ in inputs]
    return dict(zip(keys, [_rename(schema, names) for schema in schemas], strict=True)), named


def _make_names(
    definitions: Mapping[str, JsonValue], schemas: Sequence[JsonValue]
) -> dict[str, str]:
    names: dict[str, str] = {}
    # Without regard to case, because generators make the names of files of them.
    taken: set[str] = set()
    for key in dict.fromkeys(_follow(schemas, definitions, set())):
        name = next(name for name in _list_names(key, definitions) if name.lower() not in taken)
        taken.add(name.lower())
        names[key] = name
    return names


def _explain_defaults(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a schema with the default of each field in the description of the field.

    For openapi-typescript a field with a default is always there, also in a request.
    """
    match schema:
        case {"oneOf": list(parts)}:
            parts = [_explain_defaults(part) if isinstance(part, dict) else part for part in parts]
            return {**schema, "oneOf": parts}
        case {"properties": dict(fields)}:
            return {
                **schema,
                "properties": {name: _explain_default(field) for name, field in fields.items()},
            }
    return schema


def _explain_default(field: JsonValue) -> JsonValue:
    if not isinstance(field, dict) or "default" not in field:
        return field
    rest = {key: value for key, value in field.items() if key != "default"}
    description = str(rest.get("description", ""))
    if field["default"] not in (None, "", [], {}) and "default" not in description:
        words = f"By default `{orjson.dumps(field['default']).decode()}`."
        rest["description"] = f"{description} {words}".strip()
    return rest


def _name_alternatives(name: str, schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a schema by its name, and its alternatives that have titles by their names."""
    alternatives = schema.get("oneOf")
    if not isinstance(alternatives, list):
        return {name: schema}
    named: dict[str, JsonValue] = {}
    references: list[JsonValue] = []
    for part in alternatives:
        if isinstance(part, dict) and isinstance(title := part.get("title"), str):
            own = name + _make_words(title)
            named[own] = {**part, "title": own}
            references.append({"$ref": _ROOT + own})
        else:
            references.append(part)
    return {**named, name: {**schema, "oneOf": references}}


def _follow(
    schema: JsonValue | Sequence[JsonValue],
    definitions: Mapping[str, JsonValue],
    seen: set[str],
) -> Iterator[str]:
    """Yield the keys of all definitions in the order in which `schema` leads to them."""
    if isinstance(schema, str):
        key = schema.removeprefix(_ROOT)
        if key != schema and key in definitions and key not in seen:
            seen.add(key)
            yield key
            yield from _follow(definitions[key], definitions, seen)
        return
    if isinstance(schema, Mapping):
        schema = list(schema.values())
    if isinstance(schema, Sequence):
        for part in schema:
            yield from _follow(part, definitions, seen)


def _list_names(key: str, definitions: Mapping[str, JsonValue]) -> Iterator[str]:
    """Yield names for a model of pydantic's key, the best first."""
    match = _KEY.fullmatch(key)
    path, mode = (match["path"], match["mode"] or "") if match is not None else (key, "")
    *modules, last = path.split("__")
    schema = definitions[key]
    title = schema.get("title") if isinstance(schema, Mapping) else None
    name = _make_words(title if isinstance(title, str) else last) or "Model"
    package = _make_words(modules[0].removeprefix("biont_")) if modules else ""
    yield from (name, name + mode, package + name, package + name + mode)
    yield from (f"{package}{name}{number}" for number in count(2))


def _make_words(text: str) -> str:
    """Return a text in camel case: ``Page[NoteView]`` becomes ``NoteViewPage``."""
    generic = _GENERIC.fullmatch(text)
    if generic is not None:
        return _make_words(generic[2]) + _make_words(generic[1])
    words = re.findall("[A-Za-z0-9]+", text)
    return "".join(word[0].upper() + word[1:] for word in words)


def _rename(schema: JsonValue, names: Mapping[str, str]) -> JsonValue:
    """Return a schema whose references have the public names."""
    match schema:
        case dict():
            return {key: _rename(value, names) for key, value in schema.items()}
        case list():
            return [_rename(part, names) for part in schema]
        case str() if schema.startswith(_ROOT):
            key = schema.removeprefix(_ROOT)
            return _ROOT + names.get(key, key)
        case _:
            return schema
