"""The one boundary at which errors become problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from math import ceil

import orjson
import structlog
from aiohttp import web

from biont import exceptions
from biont.http.api import Dialect
from biont.http.problem_details import ProblemDetails

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

DIALECT = web.RequestKey("dialect", Dialect)
"""Set on a request whose problems are to be told otherwise."""

_STATUS: Mapping[type[exceptions.BiontError], int] = {
    exceptions.MalformedBody: 400,
    exceptions.Unauthorized: 401,
    exceptions.Forbidden: 403,
    exceptions.NotFound: 404,
    exceptions.Conflict: 409,
    exceptions.InvalidInput: 422,
    exceptions.BudgetExceeded: 429,
    exceptions.DeliveryFailed: 502,
    exceptions.StoreUnavailable: 503,
    exceptions.BackendError: 502,
    exceptions.BackendOverloaded: 503,
    exceptions.BackendUnavailable: 503,
    exceptions.BackendTimeout: 504,
    exceptions.PromptTooLong: 422,
}
_RETRY_AFTER = 1.0
_FAILED = "the server failed on this request; its log says why"

_log = structlog.get_logger("biont.http")


@web.middleware
async def problem_boundary(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error with a problem document; bad input never becomes a 500."""
    try:
        return await handler(request)
    except exceptions.BiontError as error:
        return _respond(request, describe_error(error))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _respond(request, _describe_status(error))
    except Exception:  # noqa: BLE001  # the last resort; it is logged with its traceback
        _log.exception("request failed", method=request.method, path=request.path)
        return _respond(request, ProblemDetails(500, _FAILED))


def describe_error(error: exceptions.BiontError) -> ProblemDetails:
    """Return what a client is told of an error; one that is not its own is logged."""
    known = next((base for base in type(error).__mro__ if base in _STATUS), None)
    if known is None:
        _log.error("request failed", error=repr(error), exc_info=error)
        return ProblemDetails(500, _FAILED)
    status = _STATUS[known]
    if isinstance(error, exceptions.InvalidInput):
        errors = [_describe(problem) for problem in error.problems]
        return ProblemDetails(status, "the request cannot be accepted", errors, cause=type(error))
    headers = {"Retry-After": _count_seconds(error)} if status in (429, 503) else {}
    return ProblemDetails(status, str(error), headers=headers, cause=type(error))


def _describe_status(error: web.HTTPException) -> ProblemDetails:
    kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
    return ProblemDetails(error.status, _explain(error), headers=kept)


def _respond(request: web.Request, problem: ProblemDetails) -> web.Response:
    if DIALECT in request:
        return request[DIALECT].write_problem(problem)
    return web.Response(
        status=problem.status,
        body=orjson.dumps(problem.to_document()),
        content_type="application/problem+json",
        headers=problem.headers,
    )


def _count_seconds(error: exceptions.BiontError) -> str:
    return str(ceil(_RETRY_AFTER if error.retry_after is None else error.retry_after))


def _describe(problem: exceptions.InputProblem) -> dict[str, str]:
    place = "pointer" if problem.pointer.startswith("#") else "parameter"
    return {"detail": problem.detail, place: problem.pointer}


def _explain(error: web.HTTPException) -> str:
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return "the body is larger than the setting server.body_limit allows"
    if isinstance(error, web.HTTPNotFound):
        return "there is nothing at this path; GET /api/v1/openapi.json lists what there is"
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"this path does not take {error.method}"
    return error.text or error.reason
