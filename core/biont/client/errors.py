"""Errors of the client: answers that are no success, and requests without an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence


class ClientError(Exception):
    """Base of all errors of the client."""


class NoAnswerError(ClientError):
    """The server has not answered, also after repeated attempts; the message has the reason."""


class ApiError(ClientError):
    """Error that the server answers with: a problem document (RFC 9457).

    Attributes:
        status: the HTTP status.
        detail: the sentence of the server that names the problem and the remedy.
        problems: all problems of an invalid request, a sentence each.
        headers: the headers of the answer, by names in lower case.
        request_id: the id of the request in the log of the server; empty if there is none.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        problems: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__("; ".join([f"{status}: {detail}", *problems]))
        self.status = status
        self.detail = detail
        self.problems = list(problems)
        self.headers = dict(headers or {})
        self.request_id = request_id

    @property
    def location(self) -> str | None:
        """The path of the object that a lost answer had created; None if there is none."""
        return self.headers.get("location")


class UnauthorizedError(ApiError):
    """The API key is missing, unknown, expired or revoked (401)."""


class ForbiddenError(ApiError):
    """The scope of the API key does not allow the request (403)."""


class NotFoundError(ApiError):
    """The object does not exist, or belongs to another user (404, 410)."""


class ConflictError(ApiError):
    """The state of the object does not allow the request (409)."""


class PreconditionFailedError(ApiError):
    """The object has changed since it was read (412, 428)."""


class InvalidRequestError(ApiError):
    """The request is invalid; `problems` lists all problems (other statuses from 400 to 499)."""


class RateLimitedError(ApiError):
    """A limit is used up; the header ``retry-after`` names the seconds to wait (429)."""


class ServerFailedError(ApiError):
    """The server cannot answer the request (500 to 599)."""


_KINDS: Mapping[int, type[ApiError]] = {
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    412: PreconditionFailedError,
    428: PreconditionFailedError,
    429: RateLimitedError,
}


def read_error(status: int, headers: Mapping[str, str], content: bytes) -> ApiError:
    """Return the error of an answer, from the problem document if the answer has such a document.

    Args:
        status: the HTTP status.
        headers: the headers, by names in lower case.
        content: the body.
    """
    kind = _KINDS.get(status, InvalidRequestError if status < 500 else ServerFailedError)
    document = _read_object(content)
    detail = document.get("detail")
    error = document.get("error")
    if not isinstance(detail, str) and isinstance(error, dict):
        # OpenAI's API has errors of its own.
        detail = error.get("message")
    if not isinstance(detail, str):
        # A proxy before the server answers in another format.
        detail = content[:200].decode(errors="replace").strip() or "the answer has no body"
    found = document.get("errors")
    request_id = document.get("request_id")
    return kind(
        status,
        detail,
        problems=[_describe(each) for each in found] if isinstance(found, list) else [],
        headers=headers,
        request_id=request_id if isinstance(request_id, str) else "",
    )


def _read_object(content: bytes) -> dict[str, object]:
    try:
        document = json.loads(content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _describe(problem: object) -> str:
    if not isinstance(problem, dict):
        return str(problem)
    place = problem.get("pointer") or problem.get("parameter")
    return f"{place}: {problem.get('detail')}" if place else str(problem.get("detail"))
