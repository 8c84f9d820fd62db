"""Limits of the head of a request, and the answers to heads that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from aiohttp.http_exceptions import LineTooLong

# Two numbers, because the parser's error has the limit and not the part that is too long.
PATH_LIMIT = 8190
"""The largest size of the path and query of a request, in bytes."""

FIELD_LIMIT = 8192
"""The largest size of a header of a request, in bytes."""

_TOO_LONG: Mapping[object, tuple[HTTPStatus, str]] = MappingProxyType(
    {
        PATH_LIMIT: (
            HTTPStatus.REQUEST_URI_TOO_LONG,
            f"the path and query are too long; at most {PATH_LIMIT} bytes are allowed",
        ),
        FIELD_LIMIT: (
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"a header is too long; at most {FIELD_LIMIT} bytes are allowed",
        ),
    }
)
# Without the text of the parser, which quotes the client's bytes.
_INVALID = (HTTPStatus.BAD_REQUEST, "the request is not valid HTTP/1.1")


def describe_bad_head(error: BaseException | None) -> tuple[HTTPStatus, str]:
    """Return the status and the problem of a head that the parser has refused."""
    if isinstance(error, LineTooLong):
        return _TOO_LONG.get(error.args[1], _INVALID)
    return _INVALID
