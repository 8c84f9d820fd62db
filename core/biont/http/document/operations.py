"""Operations of the OpenAPI document, one for each route."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Literal

from aiohttp import hdrs
from pydantic import JsonValue

from biont.accounts.principal import Scope
from biont.http.api import Route
from biont.http.causation_headers import CORRELATION, HOPS
from biont.http.chosen_fields import FIELDS
from biont.http.conditions import CONDITIONS
from biont.http.document.examples import make_example
from biont.http.document.responses import (
    NOT_MODIFIED,
    describe_success,
    list_problems,
    name_problem,
)
from biont.http.endpoint import Endpoint
from biont.http.error_responses import takes_bearer
from biont.http.idempotency import IDEMPOTENCY_KEY
from biont.http.looks import USER_ID
from biont.http.merge_patch import MERGE_PATCH
from biont.http.request_id import REQUEST_ID
from biont.http.tagged_responses import PREFER

Part = Literal["parameters", "body", "answer"]

_SHARED: Mapping[str, str] = {
    str(REQUEST_ID): (
        "An id for the log: at most 100 letters, digits and `._~:+/=@-`. By default a new one."
    ),
    str(CORRELATION): (
        "The correlation id of all events that the request leads to: at most 100 printable ASCII "
        "characters without spaces. By default a new one."
    ),
    str(HOPS): (
        "The number of events that led to this request, from the delivery of a webhook. A chain "
        "longer than `events.max_hops` is refused with 409."
    ),
    str(IDEMPOTENCY_KEY): (
        "A text of your choice, new for each request: 1-255 printable ASCII characters, with or "
        "without quotes. A request that is repeated with the same key takes effect once and gets "
        "the first answer again."
    ),
    str(hdrs.IF_MATCH): (
        "The `ETag` of the object as you have read it, several of them, or `*`. If the object has "
        "changed since, the answer is 412 and nothing is done."
    ),
    str(hdrs.IF_NONE_MATCH): (
        "The `ETag` of an answer that you have kept, several of them, or `*`. If the object is "
        "still the same, a GET is answered with 304; anything else is refused with 412."
    ),
    str(USER_ID): (
        "For administrators with a key of scope `full` or `read` that is not narrowed: the number "
        "of another user, as whom the request reads. The look is an event `user_viewed` of that "
        "user. By default your own rows."
    ),
    str(PREFER): "`return=minimal` for an answer without content after a change.",
}
"""Request headers of many operations, which refer to them."""

# Two more characters, for the quotes.
_LONGEST: Mapping[str, int] = {
    str(HOPS): 3,
    str(IDEMPOTENCY_KEY): 257,
    str(hdrs.IF_MATCH): 8000,
    str(hdrs.IF_NONE_MATCH): 8000,
}


_ROW: JsonValue = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}


def describe_shared_parameters() -> dict[str, JsonValue]:
    """Return the parameters to which operations refer."""
    fields: dict[str, JsonValue] = {
        "name": FIELDS,
        "in": "query",
        "required": False,
        "description": "Only these fields of the object, or of each item: names with commas.",
        "schema": {
            "type": "string",
            "maxLength": 1000,
            "pattern": "^[a-z][a-z0-9_]*(,[a-z][a-z0-9_]*)*$",
        },
    }
    headers: dict[str, JsonValue] = {
        name: {
            "name": name,
            "in": "header",
            "description": meaning,
            "schema": _ROW if name == USER_ID else _describe_text(name),
        }
        for name, meaning in _SHARED.items()
    }
    return {FIELDS: fields, **headers}


def _describe_text(name: str) -> JsonValue:
    return {"type": "string", "maxLength": _LONGEST.get(name, 100)}


def describe_operation(
    endpoint: Endpoint,
    name: str,
    schemas: Mapping[Part, JsonValue],
    definitions: Mapping[str, JsonValue],
) -> dict[str, JsonValue]:
    """Return the operation of an endpoint.

    Args:
        endpoint: the endpoint.
        name: the unique `operationId`.
        schemas: the schemas of the parts of the endpoint.
        definitions: the schemas to which `schemas` refer.
    """
    route = endpoint.route
    summary, _, description = (inspect.getdoc(route.function) or name).partition("\n")
    if route.deprecated is not None:
        description += f"\n\n{route.deprecated.explain()}"
    responses: dict[str, JsonValue] = {
        str(route.status): describe_success(endpoint, schemas.get("answer"), definitions)
    }
    if endpoint.may_be_known:
        responses["304"] = {"$ref": f"#/components/responses/{NOT_MODIFIED}"}
    for status in list_problems(endpoint):
        target = name_problem(status, route.dialect, route.tag)
        responses[str(status)] = {"$ref": f"#/components/responses/{target}"}
    operation: dict[str, JsonValue] = {
        "operationId": name,
        "tags": [route.tag],
        "summary": summary.rstrip("."),
        "description": f"{description.strip()}\n\n{_explain_keys(route)}".strip(),
        "security": _describe_security(route),
        "parameters": _describe_parameters(endpoint, schemas["parameters"], definitions),
        "responses": responses,
    }
    if route.deprecated is not None:
        operation["deprecated"] = True
    if not route.public:
        operation["x-scopes"] = [str(scope) for scope in route.allowed_scopes]
    if "body" in schemas:
        operation["requestBody"] = _describe_body(endpoint, schemas["body"], definitions)
    return operation


def name_operations(endpoints: Sequence[Endpoint]) -> list[str]:
    """Return a unique `operationId` for each endpoint.

    Where two plugins use one name, the first keeps the name, in the order core, built-in plugins,
    other plugins. Generated clients name their functions by these ids.
    """
    taken: set[str] = set()
    names: list[str] = []
    for endpoint in endpoints:
        plain = endpoint.route.operation or endpoint.route.function.__name__
        owned = f"{plain}_of_{endpoint.owner}"
        choices = (name for name in (plain, owned) if name not in taken)
        name = next(choices, None) or next(
            name for number in count(2) if (name := f"{owned}_{number}") not in taken
        )
        taken.add(name)
        names.append(name)
    return names


def _describe_body(
    endpoint: Endpoint, schema: JsonValue, definitions: Mapping[str, JsonValue]
) -> JsonValue:
    route = endpoint.route
    example: JsonValue = None if route.example is None else dict(route.example)
    if example is None:
        example = make_example(schema, definitions, is_request=True)
    kinds = ["application/json", *([MERGE_PATCH] if route.method == "PATCH" else [])]
    return {
        "required": endpoint.signature.body_is_required,
        "content": {kind: {"schema": schema, "example": example} for kind in kinds},
    }


def _explain_keys(route: Route) -> str:
    if route.public:
        return "Needs no API key."
    scopes = route.allowed_scopes
    text = f"Needs an API key of scope {' or '.join(f'`{scope}`' for scope in scopes)}."
    if len(scopes) == len(Scope):
        text = "Needs an API key of any scope."
    if route.admin:
        text += " The user of the key has to be an administrator."
    if not route.narrowable:
        text += " A key that is narrowed to some `events` or `models` may not do this."
    return text


def _describe_security(route: Route) -> list[JsonValue]:
    if route.public:
        return []
    # Without scopes, which OpenAPI and its tools know for OAuth only; `x-scopes` has them.
    return [{"bearer": []}, {"key": []}] if takes_bearer(route.dialect) else [{"key": []}]


def _describe_parameters(
    endpoint: Endpoint, schema: JsonValue, definitions: Mapping[str, JsonValue]
) -> list[JsonValue]:
    fields, required = _list_fields(schema)
    parameters: list[JsonValue] = []
    for name, value in fields.items():
        is_path = name in endpoint.signature.path_names
        parameter: dict[str, JsonValue] = {
            "name": name,
            "in": "path" if is_path else "query",
            "required": name in required,
            "schema": value,
        }
        if isinstance(value, dict) and "description" in value:
            rest = {**value}
            parameter |= {"description": rest.pop("description"), "schema": rest}
        if is_path:
            parameter["example"] = make_example(value, definitions)
        parameters.append(parameter)
    if endpoint.field_choice is not None:
        parameters.append({"$ref": f"#/components/parameters/{FIELDS}"})
    parameters += [
        {
            "name": header.name,
            "in": "header",
            "description": header.description,
            "schema": {"type": "string"},
        }
        for header in endpoint.route.reads
    ]
    shared = [str(REQUEST_ID)]
    if endpoint.route.method != "GET":
        shared += [str(CORRELATION), str(HOPS)]
    if endpoint.is_repeatable:
        shared.append(str(IDEMPOTENCY_KEY))
    if endpoint.takes_conditions:
        shared += map(str, CONDITIONS)
    if endpoint.shows_rows:
        shared.append(str(USER_ID))
    if endpoint.may_be_minimal:
        shared.append(str(PREFER))
    parameters += [{"$ref": f"#/components/parameters/{name}"} for name in shared]
    return parameters


def _list_fields(schema: JsonValue) -> tuple[Mapping[str, JsonValue], Sequence[JsonValue]]:
    match schema:
        case {"properties": dict(fields), "required": list(required)}:
            return fields, required
        case {"properties": dict(fields)}:
            return fields, []
    return {}, []
