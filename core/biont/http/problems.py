"""The one boundary at which errors become problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
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

_log = structlog.get_logger("biont.http")


@web.middleware
async def problem_boundary(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error with a problem document; bad input never becomes a 500."""
    try:
        return await handler(request)
    except exceptions.BiontError as error:
        return _answer(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
        return make_problem(error.status, _explain(error), headers=kept)
    except Exception:  # noqa: BLE001  # the last resort; it is logged with its traceback
        _log.exception("request failed", method=request.method, path=request.path)
        return make_problem(500, "the server failed on this request; its log says why")


def make_problem(
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> web.Response:
    """Return a problem document as a response."""
    document: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        document["errors"] = errors
    return web.Response(
        status=status,
        body=orjson.dumps(document),
        content_type="application/problem+json",
        headers=headers,
    )


def _answer(error: exceptions.BiontError) -> web.Response:
    known = next((base for base in type(error).__mro__ if base in _STATUS), None)
    if known is None:
        _log.error("request failed", error=repr(error), exc_info=error)
        return make_problem(500, "the server failed on this request; its log says why")
    status = _STATUS[known]
    if isinstance(error, exceptions.InvalidInput):
        errors = [_describe(problem) for problem in error.problems]
        return make_problem(status, "the request cannot be accepted", errors=errors)
    headers = {"Retry-After": _count_seconds(error)} if status == 503 else None
    return make_problem(status, str(error), headers=headers)


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
