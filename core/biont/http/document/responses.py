"""Responses of operations: success, problems, and the headers of both."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from pydantic import JsonValue

from biont.http.api import Dialect
from biont.http.document.examples import make_example
from biont.http.endpoint import Endpoint

_MEANINGS: Mapping[int, str] = {
    400: "The body is not valid JSON, or is not coded as its headers say.",
    401: "The API key is missing, unknown, expired or revoked.",
    403: "The scope of the API key does not cover this request, the key is narrowed to other "
    "events or models, the user is disabled, or the route is for administrators.",
    404: "There is no such object, or the object belongs to another user.",
    406: "`Accept` permits none of the media types of the answer.",
    408: "The body did not arrive in time.",
    409: "The request conflicts with the present state; or the events of a chain are exhausted; "
    "or the first request with this `Idempotency-Key` is still running (`Retry-After`), or took "
    "effect without a known answer (`Location` of the created object, if known).",
    411: "The request has no body, neither `Content-Length` nor `Transfer-Encoding`.",
    412: "The object is not as `If-Match` or `If-None-Match` asks; nothing was changed.",
    413: "The body is too large.",
    415: "The body is not JSON in UTF-8, or its content coding is unknown.",
    422: "The input is not valid; the response lists all problems with their places.",
    429: "A limit of requests or a budget is exhausted; try again after `Retry-After`.",
    500: "The server has failed; its log has the reason under the request id.",
    502: "Another system refused the request or answered wrongly.",
    503: "The workbench, or a system that the request needs, is not available; try again later.",
    504: "Another system did not answer in time.",
}

_HEADERS: Mapping[str, tuple[str, JsonValue, JsonValue]] = {
    "X-Request-ID": (
        "The id of the request in the log: the client's own, or a new one.",
        {"type": "string"},
        "019c0a3e-7b1d-7c42-8f65-0d3b1a2c4e5f",
    ),
    "Location": (
        "The path of the created object.",
        {"type": "string", "format": "uri-reference"},
        "/api/v1/notes/1",
    ),
    "Link": (
        'The URL of the next page, with `rel="next"`; absent on the last page.',
        {"type": "string"},
        '</api/v1/notes?cursor=MQ>; rel="next"',
    ),
    "Retry-After": (
        "The seconds after which to try again.",
        {"type": "integer", "minimum": 0},
        1,
    ),
    "Idempotency-Replayed": (
        "`true` if the answer is repeated, because of the `Idempotency-Key`; otherwise absent.",
        {"type": "string"},
        "true",
    ),
    "ETag": (
        "The tag of the object's state, for `If-Match` and `If-None-Match`.",
        {"type": "string"},
        '"1xVQ5p2kYw3a"',
    ),
    "Preference-Applied": (
        "`return=minimal` if the answer is short, as `Prefer` asks; otherwise absent.",
        {"type": "string"},
        "return=minimal",
    ),
    "RateLimit-Policy": (
        "The limit that the request counts for: requests `q` in `w` seconds; absent without one.",
        {"type": "string"},
        '"write";q=600;w=60',
    ),
    "RateLimit": (
        "The requests `r` that are left, and the seconds `t` until all are left again.",
        {"type": "string"},
        '"write";r=599;t=1',
    ),
    "WWW-Authenticate": (
        "The scheme of authentication.",
        {"type": "string"},
        'ApiKey realm="biont"',
    ),
}

_OWN_HEADERS: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After", "RateLimit-Policy", "RateLimit"),
    503: ("Retry-After",),
}
_TEXTS: Mapping[str, str] = {
    "application/x-ndjson": '{"id": 1, "title": "Tea"}\n{"id": 2, "title": "Coffee"}\n',
    "text/event-stream": 'id: 17\nevent: note_created\ndata: {"note_id": 1}\n\n',
    "text/markdown": "# Tea\n",
}
"""Examples of texts that are no JSON documents, by media type."""
_DEPRECATION: Mapping[str, str] = {
    "Deprecation": "The instant since which the operation is deprecated (RFC 9745).",
    "Sunset": "The instant after which the operation may be missing (RFC 8594).",
}
_OPTIONAL = frozenset(
    {"Link", "Idempotency-Replayed", "Preference-Applied", "RateLimit-Policy", "RateLimit"}
)


NOT_MODIFIED = "NotModified"
"""The name of the response 304, to which operations refer."""


def describe_not_modified() -> JsonValue:
    """Return the response for a client that knows the answer."""
    return {
        "description": "The object is still as `If-None-Match` says; there is no content.",
        "headers": _refer("X-Request-ID", "ETag"),
    }


def describe_headers() -> dict[str, JsonValue]:
    """Return the headers that responses refer to."""
    return {
        name: {
            "description": meaning,
            "required": name not in _OPTIONAL,
            "schema": schema,
            "example": example,
        }
        for name, (meaning, schema, example) in _HEADERS.items()
    }


def describe_problem(
    status: int, dialect: Dialect | None, schema: JsonValue, definitions: Mapping[str, JsonValue]
) -> JsonValue:
    """Return the response of a problem, to which operations refer.

    Args:
        status: the status.
        dialect: the conventions of the API.
        schema: the schema of the body.
        definitions: the schemas to which `schema` refers.
    """
    example = make_example(schema, definitions)
    if dialect is None and isinstance(example, dict):
        example |= {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    kind = "application/problem+json" if dialect is None else dialect.media_type
    return {
        "description": _explain(status),
        "headers": _refer("X-Request-ID", *_OWN_HEADERS.get(status, ())),
        "content": {kind: {"schema": schema, "example": example}},
    }


def name_problem(status: int, dialect: Dialect | None, tag: str) -> str:
    """Return the name of the response to which operations refer."""
    name = HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")
    return name if dialect is None else tag.title() + name


def list_problems(endpoint: Endpoint) -> list[int]:
    """Return the statuses of all problems that an endpoint can answer with."""
    route, signature = endpoint.route, endpoint.signature
    statuses = [422, 429, 500, 503, *route.problems]
    if not route.public:
        statuses += [401, 403]
    if signature.path_names:
        statuses.append(404)
    if endpoint.takes_conditions:
        statuses.append(412)
    if endpoint.accepts:
        statuses.append(406)
    if signature.body_is_required:
        statuses.append(411)
    if signature.body is not None:
        statuses += [400, 404, 408, 413, 415]
    if route.method != "GET":
        statuses.append(409)
    if route.dialect is not None:
        # A foreign API may have other statuses: OpenAI's has no 422.
        statuses = [route.dialect.statuses.get(status, status) for status in statuses]
    return sorted(set(statuses))


def describe_success(
    endpoint: Endpoint, answer: JsonValue | None, definitions: Mapping[str, JsonValue]
) -> JsonValue:
    """Return the response of a request that succeeds.

    Args:
        endpoint: the endpoint.
        answer: the schema of the result; None for an endpoint without a result.
        definitions: the schemas to which `answer` refers.
    """
    route = endpoint.route
    headers = _refer("X-Request-ID", "RateLimit-Policy", "RateLimit")
    if route.location is not None:
        headers |= _describe_location() if endpoint.signature.has_forms else _refer("Location")
    if endpoint.signature.answers_page:
        headers |= _refer("Link")
    if endpoint.is_repeatable:
        headers |= _refer("Idempotency-Replayed")
    if endpoint.tagger is not None:
        headers |= _refer("ETag")
    if endpoint.may_be_minimal:
        headers |= _refer("Preference-Applied")
    if route.deprecated is not None:
        headers |= {
            name: {"description": _DEPRECATION[name], "schema": {"type": "string"}}
            for name in route.deprecated.make_headers()
        }
    headers |= {
        header.name: {"description": header.description, "schema": {"type": "string"}}
        for header in route.sends
    }
    response: dict[str, JsonValue] = {
        "description": HTTPStatus(route.status).phrase,
        "headers": headers,
    }
    content: dict[str, JsonValue] = {}
    if answer is not None:
        example = make_example(answer, definitions)
        content["application/json"] = {"schema": answer, "example": example}
    kinds = (route.media_type,) if isinstance(route.media_type, str) else route.media_type
    content |= {kind: _describe_media(kind) for kind in kinds or ()}
    if content:
        response["content"] = content
    return response


def _describe_location() -> dict[str, JsonValue]:
    """Return the header of a result of which only some forms name an object."""
    meaning, schema, example = _HEADERS["Location"]
    described: dict[str, JsonValue] = {
        "description": f"{meaning} Absent if nothing was created.",
        "required": False,
    }
    return {"Location": {**described, "schema": schema, "example": example}}


def _describe_media(kind: str) -> JsonValue:
    if kind == "application/json":
        return {"schema": {"type": "object"}}
    is_text = kind.startswith("text/") or kind in _TEXTS
    schema: JsonValue = {"type": "string"} if is_text else {"type": "string", "format": "binary"}
    return {"schema": schema, "example": _TEXTS[kind]} if kind in _TEXTS else {"schema": schema}


def _refer(*names: str) -> dict[str, JsonValue]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _explain(status: int) -> str:
    return _MEANINGS.get(status, HTTPStatus(status).phrase)
