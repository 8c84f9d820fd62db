"""The alternatives of a schema."""

from __future__ import annotations

from biont.api_diff.limits import LOWER, UPPER
from biont.api_diff.references import BrokenReference, Document, Schema, resolve


def list_parts(schema: Schema, document: Document) -> list[Schema]:
    """Return the alternatives of a schema, each with one type.

    Raises:
        BrokenReference: a reference leads to nothing, or the schema is only itself.
    """
    return _list_parts(schema, document, ())


def _list_parts(schema: Schema, document: Document, outer: tuple[int, ...]) -> list[Schema]:
    reference = schema.get("$ref", "")
    schema = resolve(schema, document)
    if id(schema) in outer:
        raise BrokenReference(f"the reference `{reference}` leads back to itself")
    outer = (*outer, id(schema))
    if "allOf" in schema:
        rest = {word: value for word, value in schema.items() if word != "allOf"}
        found = _list_parts(rest, document, outer)
        for each in schema["allOf"]:
            others = _list_parts(each, document, outer)
            found = [part for old in found for new in others for part in _join(old, new)]
        return found
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return [part for each in schema[word] for part in _list_parts(each, document, outer)]
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": kind} for kind in schema["type"]]
    if "const" in schema:
        schema = {**schema, "enum": [schema["const"]]}
    if "type" not in schema and "properties" in schema:
        schema = {**schema, "type": "object"}
    return [schema]


def _join(first: Schema, second: Schema) -> list[Schema]:
    """Return the schema of the values that both schemas accept, if there are any."""
    joined = {**first, **second}
    types = {part["type"] for part in (first, second) if "type" in part}
    if types == {"integer", "number"}:
        joined["type"] = "integer"
    elif len(types) > 1:
        return []
    both = first.keys() & second.keys()
    for word in both & {*LOWER}:
        joined[word] = max(first[word], second[word])
    for word in both & {*UPPER}:
        joined[word] = min(first[word], second[word])
    if "enum" in both:
        joined["enum"] = [value for value in first["enum"] if value in second["enum"]]
    if "required" in both:
        joined["required"] = [*first["required"], *second["required"]]
    if "properties" in both:
        joined["properties"] = {**first["properties"], **second["properties"]}
        for name in first["properties"].keys() & second["properties"].keys():
            joined["properties"][name] = _require_both(
                first["properties"][name], second["properties"][name]
            )
    return [joined]


def _require_both(first: Schema, second: Schema) -> Schema:
    members: list[Schema] = []
    for schema in (first, second):
        for each in schema["allOf"] if schema.keys() == {"allOf"} else [schema]:
            if each not in members:
                members.append(each)
    return members[0] if len(members) == 1 else {"allOf": members}


def list_types(parts: list[Schema]) -> set[str]:
    """Return the types of the alternatives."""
    return {str(part.get("type", "any")) for part in parts}


def merge_parts(parts: list[Schema]) -> Schema:
    """Return one schema for alternatives of the same scalar type."""
    if len(parts) == 1:
        return parts[0]
    if all("enum" in part for part in parts):
        return {**parts[0], "enum": [value for part in parts for value in part["enum"]]}
    # Without the limits of single alternatives, which do not hold for the others.
    return {"type": parts[0].get("type")}
