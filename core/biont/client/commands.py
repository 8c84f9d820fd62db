"""API document as the command line reads it: only the parts that describe requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

JsonObject = dict[str, object]

_KEPT = ("operationId", "tags", "summary", "description", "parameters", "requestBody")
_JSON = "application/json"


def trim_document(document: Mapping[str, object]) -> JsonObject:
    """Return the parts of an OpenAPI document that describe requests."""
    paths = {
        path: {verb: _trim_operation(operation) for verb, operation in verbs.items()}
        for path, verbs in cast(
            "Mapping[str, Mapping[str, JsonObject]]", document["paths"]
        ).items()
    }
    components = cast("Mapping[str, JsonObject]", document["components"])
    needed = _reach(paths, components["schemas"])
    return {
        "info": document["info"],
        "tags": document["tags"],
        "paths": paths,
        "components": {
            "parameters": components["parameters"],
            "schemas": {
                name: schema for name, schema in components["schemas"].items() if name in needed
            },
        },
    }


def _trim_operation(operation: JsonObject) -> JsonObject:
    kept = {name: value for name, value in operation.items() if name in _KEPT}
    responses = cast("Mapping[str, Mapping[str, JsonObject]]", operation["responses"])
    kinds = [
        kind
        for status, each in responses.items()
        if status < "3"
        for kind in each.get("content", {})
    ]
    return {**kept, "x-answers": kinds}


def _reach(value: object, schemas: Mapping[str, object]) -> set[str]:
    found, waiting = set[str](), [value]
    while waiting:
        match waiting.pop():
            case {"$ref": str(reference)} if (name := reference.rpartition("/")[2]) not in found:
                found.add(name)
                waiting.append(schemas.get(name))
            case dict(inner):
                waiting += inner.values()
            case list(items):
                waiting += items
    return found
