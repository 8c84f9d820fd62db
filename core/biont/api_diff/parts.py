"""The alternatives of a schema."""

from __future__ import annotations

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
