"""The one boundary at which errors become problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from math import ceil

import orjson
import structlog
from aiohttp import web

from biont import exceptions

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_STATUS: Mapping[type[exceptions.BiontError], int] = {
    exceptions.MalformedBody: 400,
    exceptions.Unauthorized: 401,
    exceptions.Forbidden: 403,
    exceptions.NotFound: 404,
    exceptions.Conflict: 409,
    exceptions.InvalidInput: 422,
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
        return _respond(describe_error(error))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _respond(_describe_status(error))
    except Exception:  # noqa: BLE001  # the last resort; it is logged with its traceback
        _log.exception("request failed", method=request.method, path=request.path)
        return _respond(ProblemDetails(500, _FAILED))


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """Why a request is not answered as asked.

    Attributes:
        status: the HTTP status.
        detail: what is wrong and what to do.
        errors: each thing that is wrong with the request, and where.
        headers: sent beside it.
    """

    status: int
    detail: str
    errors: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_document(self) -> dict[str, object]:
        """Return it as a problem document (RFC 9457)."""
        document: dict[str, object] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = self.errors
        return document


def describe_error(error: exceptions.BiontError) -> ProblemDetails:
    """Return what a client is told of an error; one that is not its own is logged."""
    known = next((base for base in type(error).__mro__ if base in _STATUS), None)
    if known is None:
        _log.error("request failed", error=repr(error), exc_info=error)
        return ProblemDetails(500, _FAILED)
    status = _STATUS[known]
    if isinstance(error, exceptions.InvalidInput):
        errors = [_describe(problem) for problem in error.problems]
        return ProblemDetails(status, "the request cannot be accepted", errors)
    headers = {"Retry-After": _count_seconds(error)} if status == 503 else {}
    return ProblemDetails(status, str(error), headers=headers)


def _describe_status(error: web.HTTPException) -> ProblemDetails:
    kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
    return ProblemDetails(error.status, _explain(error), headers=kept)


def _respond(problem: ProblemDetails) -> web.Response:
    return web.Response(
        status=problem.status,
        body=orjson.dumps(problem.to_document()),
        content_type="application/problem+json",
        headers=problem.headers,
    )


def _count_seconds(error: exceptions.BiontError) -> str:
    known = error.retry_after if isinstance(error, exceptions.BackendError) else None
    return str(ceil(_RETRY_AFTER if known is None else known))


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
