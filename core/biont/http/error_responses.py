"""Error responses: the one boundary at which errors become problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from math import ceil

import orjson
import structlog
from aiohttp import hdrs, web

from biont import exceptions
from biont.http.api import Dialect
from biont.http.problem_details import ProblemDetails
from biont.http.request_id import get_request_id

_STATUS: Mapping[type[exceptions.BiontError], int] = {
    exceptions.MalformedBody: 400,
    exceptions.Unauthorized: 401,
    exceptions.Forbidden: 403,
    exceptions.NotFound: 404,
    exceptions.Conflict: 409,
    exceptions.PreconditionFailed: 412,
    exceptions.InvalidInput: 422,
    exceptions.BudgetExceeded: 429,
    exceptions.RateExceeded: 429,
    exceptions.DeliveryFailed: 502,
    exceptions.StoreUnavailable: 503,
    exceptions.BackendError: 502,
    exceptions.BackendOverloaded: 503,
    exceptions.BackendUnavailable: 503,
    exceptions.BackendTimeout: 504,
    exceptions.PromptTooLong: 422,
    exceptions.ModelNotFound: 404,
}
_RETRY_AFTER = 1.0
_KEPT_HEADERS = ("Accept", "Accept-Encoding", "Allow")
# Registered by draft-ietf-httpapi-ratelimit-headers.
_QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"
_FAILED = "the server failed on this request; the server's log has the reason under the request id"

_log = structlog.get_logger("biont.http")


def answer_error(
    request: web.Request, error: Exception, dialect: Dialect | None = None
) -> web.Response:
    """Return the error response for an exception.

    Invalid input never leads to status 500. Any error with status 500 is logged
    with its traceback.

    Args:
        request: the request that has failed.
        error: the exception.
        dialect: the conventions of the route; None for problem documents.

    Raises:
        web.HTTPException: the exception is a response without an error, such as a redirect.
    """
    if isinstance(error, exceptions.BiontError):
        problem = describe_error(error)
    elif isinstance(error, web.HTTPException):
        if error.status < 400:
            raise error
        problem = _describe_status(error)
    else:
        _log.error("request failed", method=request.method, path=request.path, exc_info=error)
        problem = ProblemDetails(500, _FAILED)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        scheme = "Bearer" if takes_bearer(dialect) else "ApiKey"
        problem = replace(
            problem, headers={**problem.headers, hdrs.WWW_AUTHENTICATE: f'{scheme} realm="biont"'}
        )
    problem = replace(problem, request_id=get_request_id())
    return write_problem(request, problem, dialect)


def write_problem(
    request: web.Request, problem: ProblemDetails, dialect: Dialect | None
) -> web.Response:
    """Return a problem as a response, by the conventions of the route."""
    if dialect is None:
        return respond_problem(problem)
    try:
        return dialect.write_problem(request, problem)
    except Exception as error:  # noqa: BLE001  # of a plugin, such as in a template
        _log.error("error response failed", path=request.path, exc_info=error)
        return respond_problem(replace(problem, status=500, detail=_FAILED, errors=[]))


def takes_bearer(dialect: Dialect | None) -> bool:
    """Return whether routes take API keys as bearer tokens."""
    return dialect is not None and dialect.read_key is None


def describe_error(error: exceptions.BiontError) -> ProblemDetails:
    """Return the problem details of an error; log an error that the client has not caused."""
    # The closest base class decides, so that a plugin's subclass needs no entry of its own.
    known = next((base for base in type(error).__mro__ if base in _STATUS), None)
    if known is None:
        _log.error("request failed", exc_info=error)
        return ProblemDetails(500, _FAILED)
    status = _STATUS[known]
    if isinstance(error, exceptions.InvalidInput):
        errors = [_describe(problem) for problem in error.problems]
        detail = "the request cannot be accepted"
        if error.omitted:
            detail += f"; {error.omitted} more problems are not listed"
        return ProblemDetails(status, detail, errors, cause=type(error))
    # Clients repeat a request on these statuses; without the header they do so at once.
    headers = {"Retry-After": _count_seconds(error)} if status in (429, 503) else {}
    if isinstance(error, exceptions.RateExceeded):
        return ProblemDetails(
            status,
            str(error),
            headers=headers,
            cause=type(error),
            type=_QUOTA_EXCEEDED,
            members={"violated-policies": [error.name]},
        )
    return ProblemDetails(status, str(error), headers=headers, cause=type(error))


def _describe_status(error: web.HTTPException) -> ProblemDetails:
    kept = {name: error.headers[name] for name in _KEPT_HEADERS if name in error.headers}
    return ProblemDetails(error.status, _explain(error), headers=kept)


def respond_problem(problem: ProblemDetails) -> web.Response:
    """Return a problem document as a response."""
    return web.Response(
        status=problem.status,
        body=orjson.dumps(problem.to_document()),
        content_type="application/problem+json",
        headers=problem.headers,
    )


def _count_seconds(error: exceptions.BiontError) -> str:
    return str(ceil(_RETRY_AFTER if error.retry_after is None else error.retry_after))


def _describe(problem: exceptions.InputProblem) -> dict[str, str]:
    member = "pointer" if problem.place.startswith("#") else "parameter"
    return {"detail": problem.detail, member: problem.place}


def _explain(error: web.HTTPException) -> str:
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return "the body is larger than the setting server.body_limit allows"
    if isinstance(error, web.HTTPNotFound):
        return "no route has this path; GET /api/v1/openapi.json lists all routes"
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"no route of this path has the method {error.method}"
    return error.text or error.reason
