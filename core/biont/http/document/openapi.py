"""OpenAPI 3.1 document, made from the signatures that validate the requests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from pydantic import Field, JsonValue, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from biont.event_types import CUSTOM, EventTypes, KnownType
from biont.http.api import Dialect
from biont.http.document.examples import make_example
from biont.http.document.operations import (
    Part,
    describe_operation,
    describe_shared_parameters,
    name_operations,
)
from biont.http.document.responses import (
    NOT_MODIFIED,
    describe_headers,
    describe_not_modified,
    describe_problem,
    list_problems,
    name_problem,
)
from biont.http.document.schemas import collect_schemas
from biont.http.endpoint import Endpoint
from biont.http.webhook_message_schema import CAUSATION_HEADERS, HEADERS, describe_body
from biont.schema import Schema

Document = dict[str, JsonValue]
_Key = tuple[int, Part] | tuple[str, str] | Dialect | None

_DESCRIPTION = """\
The API of a Biont Workbench.

**Keys.** Send your API key in the header `X-API-Key`. Each operation names the scopes of keys that
may use it.

**Errors** are `application/problem+json` (RFC 9457). A 422 lists all problems with their places.
Besides the statuses of each operation: 404 for an unknown path, 405 with `Allow` for another
method, 417 for an unknown expectation, and a plain 400 for a request that is no HTTP.

**Methods.** Each path with GET has HEAD, and each path has OPTIONS.

**Lists** have the shape `{"data": [...], "next": cursor or null}` and a `Link` header to the next
page.

**Changes** by PATCH are JSON merge patches (RFC 7396): a field that is left out stays as it is.

**Bodies** may be compressed, with `Content-Encoding: gzip` or `deflate`.

**Streams** are server-sent events (`text/event-stream`): each event is a few `name: value` lines
and an empty line; lines that begin with a colon keep a silent connection open.
"""
_DELIVERIES = "deliveries"


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
    violated_policies: list[str] = Field(
        default_factory=list,
        alias="violated-policies",
        description="The limits of requests that are exceeded.",
    )


def make_openapi(
    endpoints: Sequence[Endpoint], event_types: EventTypes, *, version: str
) -> Document:
    """Return the document of all `endpoints` and of the deliveries of `event_types`."""
    endpoints = [endpoint for endpoint in endpoints if endpoint.route.described]
    schemas, definitions = _collect_schemas(endpoints, event_types)
    operations: defaultdict[str, dict[str, JsonValue]] = defaultdict(dict)
    for number, (endpoint, name) in enumerate(
        zip(endpoints, name_operations(endpoints), strict=True)
    ):
        parts = {part: schemas[number, part] for part in _list_parts(endpoint)}
        operation = describe_operation(endpoint, name, parts, definitions)
        operations[endpoint.route.path][endpoint.route.method.lower()] = operation
    paths: dict[str, JsonValue] = dict(operations)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Biont Workbench",
            "version": version,
            "description": _DESCRIPTION,
            "contact": {"name": "The operator of this workbench"},
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The workbench that serves this document."}],
        "tags": _describe_tags(endpoints),
        "paths": paths,
        "webhooks": {
            known.name: {
                "post": _describe_delivery(known, schemas[known.name, "payload"], definitions)
            }
            for known in event_types
        },
        "components": {
            "schemas": definitions,
            "parameters": describe_shared_parameters(),
            "headers": describe_headers(),
            "responses": {
                NOT_MODIFIED: describe_not_modified(),
                **_describe_problems(endpoints, schemas, definitions),
            },
            "securitySchemes": {
                "key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": "An API key: `asb_` and 64 hexadecimal digits.",
                },
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key as a bearer token, for clients of other APIs.",
                },
            },
        },
    }


def _list_parts(endpoint: Endpoint) -> dict[Part, tuple[JsonSchemaMode, TypeAdapter[object]]]:
    signature = endpoint.signature
    parts: dict[Part, tuple[JsonSchemaMode, TypeAdapter[object]]] = {
        "parameters": ("validation", TypeAdapter(signature.parameters))
    }
    if signature.body is not None:
        parts["body"] = ("validation", signature.body)
    if signature.answer is not None:
        parts["answer"] = ("serialization", signature.answer)
    return parts


def _collect_schemas(
    endpoints: Sequence[Endpoint], event_types: EventTypes
) -> tuple[Mapping[_Key, JsonValue], dict[str, JsonValue]]:
    inputs: list[tuple[_Key, JsonSchemaMode, TypeAdapter[object]]] = [
        (None, "validation", TypeAdapter(Problem))
    ]
    for number, endpoint in enumerate(endpoints):
        inputs += [
            ((number, part), mode, adapter)
            for part, (mode, adapter) in _list_parts(endpoint).items()
        ]
    inputs += [
        (dialect, "serialization", TypeAdapter(dialect.problem))
        for dialect in dict.fromkeys(endpoint.route.dialect for endpoint in endpoints)
        if dialect is not None
    ]
    inputs += [((known.name, "payload"), "validation", known.payload) for known in event_types]
    return collect_schemas(inputs, _is_parameters)


def _is_parameters(key: _Key) -> bool:
    return isinstance(key, tuple) and key[1] == "parameters" and isinstance(key[0], int)


def _describe_problems(
    endpoints: Sequence[Endpoint],
    schemas: Mapping[_Key, JsonValue],
    definitions: Mapping[str, JsonValue],
) -> dict[str, JsonValue]:
    problems: dict[str, JsonValue] = {}
    for endpoint in endpoints:
        route = endpoint.route
        for status in list_problems(endpoint):
            name = name_problem(status, route.dialect, route.tag)
            if name not in problems:
                problems[name] = describe_problem(
                    status, route.dialect, schemas[route.dialect], definitions
                )
    return problems


def _describe_tags(endpoints: Sequence[Endpoint]) -> list[JsonValue]:
    descriptions: dict[str, str] = {}
    for endpoint in endpoints:
        route = endpoint.route
        descriptions[route.tag] = descriptions.get(route.tag) or route.tag_description
    descriptions[_DELIVERIES] = "Events as your webhooks receive them."
    return [
        {"name": tag, "description": description or f"Routes of the group {tag}."}
        for tag, description in sorted(descriptions.items())
    ]


def _describe_delivery(
    known: KnownType, payload: JsonValue, definitions: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    body = describe_body(known, payload)
    example = make_example(body, definitions)
    if isinstance(example, dict) and known.name == CUSTOM:
        example["event_type"] = "custom_invoice_paid"
    return {
        "operationId": f"deliver_{known.name.removesuffix('_*')}",
        "tags": [_DELIVERIES],
        "summary": known.description.rstrip("."),
        "description": (
            f"The workbench posts each event `{known.name}` to the webhooks that subscribe to it. "
            "A receiver checks the signature before it trusts the body."
        ),
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
            "content": {"application/json": {"schema": body, "example": example}},
        },
        "responses": {
            "200": {"description": "The receiver has accepted the event."},
            "410": {"description": "The receiver is gone for good: the webhook is disabled."},
        },
    }
