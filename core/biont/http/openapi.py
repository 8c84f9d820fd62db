"""OpenAPI 3.1 document, made from the signatures that validate the requests."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Literal

from pydantic import Field, JsonValue, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from biont.event_types import EventTypes, KnownType
from biont.http.api import Route
from biont.http.endpoint import Endpoint
from biont.http.merge_patch import MERGE_PATCH
from biont.http.webhook_message_schema import CAUSATION_HEADERS, HEADERS, describe_body
from biont.schema import Schema

Document = dict[str, JsonValue]
_Key = tuple[int | str, Literal["body", "answer", "payload"]]

_REFERENCE = "#/components/schemas/{model}"


class ProblemItem(Schema):
    """A problem in a request."""

    detail: str
    pointer: str | None = Field(None, description="The place in the body, as a JSON pointer.")
    parameter: str | None = Field(None, description="The name of the path or query parameter.")


class Problem(Schema):
    """An error response (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = Field(None, description="The id of the request in the log.")
    errors: list[ProblemItem] = Field(default_factory=list)


def make_openapi(
    endpoints: Sequence[Endpoint], event_types: EventTypes, *, version: str
) -> Document:
    """Return the document of all `endpoints` and of the deliveries of `event_types`."""
    schemas, definitions = _collect_schemas(endpoints, event_types)
    operations: defaultdict[str, dict[str, JsonValue]] = defaultdict(dict)
    for number, endpoint in enumerate(endpoints):
        method = endpoint.route.method.lower()
        operations[endpoint.route.path][method] = _describe_operation(number, endpoint, schemas)
    paths: dict[str, JsonValue] = dict(operations)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Biont Workbench",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "webhooks": {
            known.name: {"post": _describe_delivery(known, schemas[known.name, "payload"])}
            for known in event_types
        },
        "components": {
            "schemas": definitions,
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _collect_schemas(
    endpoints: Sequence[Endpoint], event_types: EventTypes
) -> tuple[Mapping[_Key, JsonValue], dict[str, JsonValue]]:
    inputs: list[tuple[_Key, JsonSchemaMode, TypeAdapter[object]]] = []
    for number, endpoint in enumerate(endpoints):
        if endpoint.signature.body is not None:
            inputs.append(((number, "body"), "validation", endpoint.signature.body))
        if endpoint.signature.answer is not None:
            inputs.append(((number, "answer"), "serialization", endpoint.signature.answer))
    inputs += [((known.name, "payload"), "validation", known.payload) for known in event_types]
    inputs.append(((-1, "answer"), "serialization", TypeAdapter(Problem)))
    by_key, shared = TypeAdapter.json_schemas(inputs, ref_template=_REFERENCE)
    definitions: dict[str, JsonValue] = dict(shared.get("$defs", {}))
    return {key: schema for (key, _), schema in by_key.items()}, definitions


def _describe_operation(
    number: int, endpoint: Endpoint, schemas: Mapping[_Key, JsonValue]
) -> dict[str, JsonValue]:
    route = endpoint.route
    summary, _, description = (inspect.getdoc(route.function) or "").partition("\n")
    operation: dict[str, JsonValue] = {
        # Generated clients name their functions by this id, so that renaming a route function
        # breaks them.
        "operationId": f"{endpoint.owner}_{route.function.__name__}",
        "tags": [route.tag],
        "summary": summary,
        "security": _describe_security(route),
        "responses": _describe_responses(number, endpoint, schemas),
    }
    if description.strip():
        operation["description"] = description.strip()
    parameters = _describe_parameters(endpoint)
    if parameters:
        operation["parameters"] = parameters
    if endpoint.signature.body is not None:
        operation["requestBody"] = {
            "required": endpoint.signature.body_is_required,
            "content": {
                kind: {"schema": schemas[number, "body"]} for kind in _list_body_types(route)
            },
        }
    return operation


def _list_body_types(route: Route) -> list[str]:
    return ["application/json", *([MERGE_PATCH] if route.method == "PATCH" else [])]


def _describe_security(route: Route) -> list[JsonValue]:
    if route.public:
        return []
    return [{"key": []}] if route.dialect is None else [{"bearer": []}, {"key": []}]


def _describe_delivery(known: KnownType, payload: JsonValue) -> dict[str, JsonValue]:
    return {
        "operationId": f"deliver_{known.name.removesuffix('_*')}",
        "tags": ["deliveries"],
        "summary": known.description,
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": name in HEADERS,
                "description": meaning,
                "schema": {"type": "string"},
            }
            for name, meaning in {**HEADERS, **CAUSATION_HEADERS}.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": describe_body(known, payload)}},
        },
        "responses": {"200": {"description": "The receiver has accepted the event."}},
    }


def _describe_parameters(endpoint: Endpoint) -> list[JsonValue]:
    schema = endpoint.signature.parameters.model_json_schema()
    definitions = schema.get("$defs", {})
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "path" if name in endpoint.signature.path_names else "query",
            "required": name in required,
            # Parameters have definitions of their own, which the document cannot refer to.
            "schema": _inline_references(value, definitions),
        }
        for name, value in schema.get("properties", {}).items()
    ]


def _inline_references(schema: JsonValue, definitions: Mapping[str, JsonValue]) -> JsonValue:
    """Return a schema with each reference replaced by its definition."""
    if isinstance(schema, list):
        return [_inline_references(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    target = schema.get("$ref")
    if isinstance(target, str):
        return _inline_references(definitions[target.rpartition("/")[2]], definitions)
    return {name: _inline_references(value, definitions) for name, value in schema.items()}


def _describe_responses(
    number: int, endpoint: Endpoint, schemas: Mapping[_Key, JsonValue]
) -> dict[str, JsonValue]:
    route = endpoint.route
    success: dict[str, JsonValue] = {"description": HTTPStatus(route.status).phrase}
    content: dict[str, JsonValue] = {}
    if endpoint.signature.answer is not None:
        content["application/json"] = {"schema": schemas[number, "answer"]}
    own = (route.media_type,) if isinstance(route.media_type, str) else route.media_type
    content |= {kind: {} for kind in own or ()}
    if content:
        success["content"] = content
    if route.location is not None:
        success["headers"] = {
            "Location": {
                "description": "The path of the created object.",
                "required": True,
                "schema": {"type": "string"},
            }
        }
    responses: dict[str, JsonValue] = {str(route.status): success}
    problem: JsonValue = {"application/problem+json": {"schema": schemas[-1, "answer"]}}
    if route.dialect is not None:
        problem = {"application/json": {}}
    for status in _list_problems(endpoint):
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": problem,
        }
    return responses


def _list_problems(endpoint: Endpoint) -> list[int]:
    statuses = [422, 500, 503, *endpoint.route.problems]
    if not endpoint.route.public:
        statuses += [401, 403]
    if endpoint.signature.path_names:
        statuses.append(404)
    if endpoint.signature.body is not None:
        statuses += [400, 404, 408, 413, 415]
    if endpoint.route.method != "GET":
        statuses.append(409)
    return sorted(set(statuses))
