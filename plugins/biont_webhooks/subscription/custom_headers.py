"""Custom headers of a webhook, such as the token of a gateway before the receiver."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, LiteralString, TypeVar

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from biont.exceptions import InputProblem, InvalidInput

REDACTED = "********"
"""The text that is shown instead of the value of a header."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[!-~]([ -~\t]*[!-~])?")
_VALUE_LIMIT = 4096

HEADER_LIMIT = 20
"""The most custom headers of a webhook."""

RESERVED = (
    # They belong to the connection, which the HTTP client keeps.
    *("Connection", "Expect", "Host", "HTTP2-Settings", "Keep-Alive", "Proxy-*", "TE", "Trailer"),
    *("Transfer-Encoding", "Upgrade"),
    # They describe the message.
    *("Content-*", "Date"),
    # They would change the meaning of the request.
    *("If-*", "Max-Forwards", "Range", "X-HTTP-Method*"),
    # Proxies tell by them where a request comes from.
    *("Forwarded", "Via", "X-Forwarded-*", "X-Real-IP"),
    # The workbench sets them, and understands no compressed answer.
    *("Accept-Encoding", "User-Agent", "webhook-*", "X-ASI-*", "X-Biont-*", "X-Correlation-ID"),
    # They belong to a session, and deliveries have none. X-API-Key is permitted: gateways ask for
    # it, and so does another workbench that is the receiver.
    *("Cookie", "Set-Cookie"),
)
"""The names that custom headers cannot have; a name that ends with ``*`` is a prefix.

This list is the only one. A test compares it with the documentation.
"""

_RESERVED = frozenset(name.lower() for name in RESERVED)
_RESERVED_PREFIXES = tuple(name[:-1] for name in _RESERVED if name.endswith("*"))

H = TypeVar("H", bound=Mapping[str, str | None])


def _check_headers(headers: H) -> H:
    # All problems at once, each at its header, so that a client need not try again and again.
    problems = [
        InitErrorDetails(type=PydanticCustomError("header", reason), loc=(name,), input=name)
        for name, value in headers.items()
        if (reason := _find_problem(name, value, headers))
    ]
    if problems:
        raise ValidationError.from_exception_data("headers", problems)
    return headers


def _find_problem(name: str, value: str | None, headers: Iterable[str]) -> LiteralString | None:
    lower = name.lower()
    if any(other.lower() == lower for other in headers if other != name):
        return "is given twice; header names are case-insensitive"
    if value is None:
        # Of any name, because an earlier version may have accepted a name that is reserved now.
        return None
    return _find_name_problem(name, lower) or _find_value_problem(value)


def _find_name_problem(name: str, lower: str) -> LiteralString | None:
    if not _NAME.fullmatch(name):
        return "is not a valid header name: use at most 100 letters, digits and -"
    if lower in _RESERVED or lower.startswith(_RESERVED_PREFIXES):
        return "is reserved for HTTP and the workbench; choose another name"
    return None


def _find_value_problem(value: str) -> LiteralString | None:
    if len(value) <= _VALUE_LIMIT and _VALUE.fullmatch(value):
        return None
    return "must have a value of 1-4096 printable ASCII characters, without spaces at the ends"


Headers = Annotated[
    dict[str, str],
    Field(
        max_length=HEADER_LIMIT, description="Headers added to each request; values are redacted."
    ),
    AfterValidator(_check_headers),
]
"""Custom headers in a REST request."""

HeaderPatch = Annotated[dict[str, str | None], AfterValidator(_check_headers)]
"""Custom headers in a merge patch; null for a header to remove."""


def merge_headers(present: Mapping[str, str], patch: Mapping[str, str | None]) -> dict[str, str]:
    """Return `present` changed by `patch`; names are case-insensitive.

    Raises:
        InvalidInput: there are too many headers after the change.
    """
    named = {name.lower() for name in patch}
    kept = {name: value for name, value in present.items() if name.lower() not in named}
    merged = kept | {name: value for name, value in patch.items() if value is not None}
    if len(merged) > HEADER_LIMIT:
        raise InvalidInput(
            InputProblem(f"makes {len(merged)} headers; {HEADER_LIMIT} are allowed", "#/headers")
        )
    return merged


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return `headers` with redacted values."""
    return dict.fromkeys(headers, REDACTED)
