"""Forms: the fields that a page of a browser sends."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from aiohttp import hdrs, web

from biont.exceptions import MalformedBody
from biont.http.body import read_body

_FORM = "application/x-www-form-urlencoded"
_FIELDS = 1000


async def read_form(http: web.Request) -> Sequence[tuple[str, str]]:
    """Return the names and values of the fields of a form, in their order.

    Raises:
        MalformedBody: the body is no form in UTF-8, or has more than 1000 fields.
        web.HTTPUnsupportedMediaType: the body says that it is something else.
        web.HTTPRequestEntityTooLarge: the body is too large.
    """
    content = await read_body(http)
    if content and http.content_type != _FORM:
        raise web.HTTPUnsupportedMediaType(
            text=f"the body must be a form: send Content-Type: {_FORM}",
            headers={hdrs.ACCEPT: _FORM},
        )
    return parse_form(content)


def parse_form(content: bytes) -> Sequence[tuple[str, str]]:
    """Return the names and values of the fields of a form, in their order.

    Raises:
        MalformedBody: the content is no form in UTF-8, or has more than 1000 fields.
    """
    try:
        return parse_qsl(
            content.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS
        )
    except ValueError as error:
        raise MalformedBody(
            f"the body must be a form in UTF-8 with at most {_FIELDS} fields"
        ) from error
