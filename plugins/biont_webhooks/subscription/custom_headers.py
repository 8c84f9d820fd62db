"""Headers that a webhook brings of its own, such as a gateway's token."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, LiteralString

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

MASK = "********"
"""What is shown instead of a header's value."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[!-~]([ -~\t]*[!-~])?")
_VALUE_LIMIT = 4096

# Those that describe the body, that one connection needs, and that we sign or speak by.
_RESERVED_PREFIXES = ("content-", "webhook-", "x-asi-", "proxy-")
_RESERVED = frozenset(
    {
        "connection",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-biont-hops",
        "x-correlation-id",
    }
)


def _check_headers(headers: dict[str, str]) -> dict[str, str]:
    problems = [
        InitErrorDetails(type=PydanticCustomError("header", reason), loc=(name,), input=None)
        for name, value in headers.items()
        if (reason := _judge_name(name, headers) or _judge_value(value))
    ]
    if problems:
        raise ValidationError.from_exception_data("headers", problems)
    return headers


def _judge_name(name: str, headers: Iterable[str]) -> LiteralString | None:
    lower = name.lower()
    if not _NAME.fullmatch(name):
        return "is no header's name: use letters, digits and -, at most 100"
    if lower in _RESERVED or lower.startswith(_RESERVED_PREFIXES):
        return "is set by the workbench, or by no sender; choose another name"
    if any(other.lower() == lower for other in headers if other != name):
        return "stands there twice; upper and lower case are the same"
    return None


def _judge_value(value: str) -> LiteralString | None:
    if len(value) <= _VALUE_LIMIT and _VALUE.fullmatch(value):
        return None
    return "must have a value of 1-4096 printable ASCII characters, no space at its ends"


Headers = Annotated[
    dict[str, str],
    Field(max_length=20, description="Headers that go with each request; shown masked."),
    AfterValidator(_check_headers),
]
"""Headers as REST clients send them."""


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return `headers` as they may be shown."""
    return dict.fromkeys(headers, MASK)
