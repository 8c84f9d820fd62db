"""Why a request is not answered as asked, before it is told in any way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """Why a request is not answered as asked.

    Attributes:
        status: the HTTP status.
        detail: what is wrong and what to do.
        errors: each thing that is wrong with the request, and where.
        headers: sent beside it.
        cause: the kind of error that it comes from; None where it is HTTP's own.
    """

    status: int
    detail: str
    errors: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    cause: type[Exception] | None = None

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
