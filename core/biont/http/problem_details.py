"""Problem details: description of a failed request, independent of the response format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """Description of a failed request.

    Attributes:
        status: the HTTP status.
        detail: the problem and the remedy.
        errors: each problem in the input, with its place.
        headers: further response headers.
        cause: the class of the exception; None for an error of HTTP itself, such as 405.
        request_id: the id by which the log names the request.
        type: the URI of the kind of problem; ``about:blank`` for what the status says.
        members: further members of the problem document.
    """

    status: int
    detail: str
    errors: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    cause: type[Exception] | None = None
    request_id: str | None = None
    type: str = "about:blank"
    members: Mapping[str, object] = field(default_factory=dict)

    def to_document(self) -> dict[str, object]:
        """Return the problem document (RFC 9457)."""
        document: dict[str, object] = {
            "type": self.type,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.request_id is not None:
            document["request_id"] = self.request_id
        if self.errors:
            document["errors"] = self.errors
        return {**document, **self.members}
