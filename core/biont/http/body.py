"""Body of a request: reading, decompression and the check of its declared form."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from aiohttp import hdrs, web

from biont.exceptions import MalformedBody

BODY_TIMEOUT = web.AppKey("biont_body_timeout", float)
"""The seconds that the body of a request may take."""

# The window sizes of zlib: gzip alone, and the zlib format that HTTP calls deflate.
_WINDOWS: Mapping[str, int] = MappingProxyType({"gzip": 31, "x-gzip": 31, "deflate": 15})
_CODINGS = "gzip, deflate"
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


async def read_body(http: web.Request, *, is_required: bool = False) -> bytes:
    """Return the body of a request, decompressed.

    Args:
        http: the request.
        is_required: whether the route needs a body.

    Raises:
        MalformedBody: the body is not coded as its headers say, or has not arrived whole.
        web.HTTPLengthRequired: the route needs a body, and the request says that it has none.
        web.HTTPUnsupportedMediaType: the coding is unknown.
        web.HTTPRequestEntityTooLarge: the body is too large.
    """
    coding = http.headers.get(hdrs.CONTENT_ENCODING)
    if coding is not None:
        # Before anything is read, so that an upload which cannot be used ends early.
        window = _find_window(coding)
    try:
        content = await _read_in_time(http)
    except web.HTTPException:
        raise
    # aiohttp reports a broken body by classes of its parser, and a lost client by any OSError.
    except Exception as error:
        raise MalformedBody(
            "the body did not arrive whole; check Content-Length and Transfer-Encoding"
        ) from error
    if not content and is_required and not _has_framing(http):
        raise web.HTTPLengthRequired(
            text="the route needs a body; send one with Content-Length or Transfer-Encoding"
        )
    if coding is None or window is None:
        return content
    return _decompress(content, coding, window, http.client_max_size)


async def _read_in_time(http: web.Request) -> bytes:
    # Most bodies arrive together with the head, and need no timer.
    if http.content.is_eof():
        return await http.read()
    seconds = http.app[BODY_TIMEOUT]
    try:
        async with asyncio.timeout(seconds):
            return await http.read()
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(
            text=f"the body did not arrive within {seconds:g} seconds, "
            "the setting server.body_timeout",
            headers={hdrs.CONNECTION: "close"},
        ) from error


def _has_framing(http: web.Request) -> bool:
    return hdrs.CONTENT_LENGTH in http.headers or hdrs.TRANSFER_ENCODING in http.headers


def check_content_type(http: web.Request) -> None:
    """Check that a request says that its body is JSON in UTF-8, or says nothing.

    Raises:
        web.HTTPUnsupportedMediaType: the body is something else.
    """
    content_type = http.headers.get(hdrs.CONTENT_TYPE)
    if content_type is None:
        return
    problem = _judge_content_type(content_type)
    if problem is not None:
        raise web.HTTPUnsupportedMediaType(text=problem, headers={hdrs.ACCEPT: "application/json"})


@lru_cache(maxsize=256)
def _judge_content_type(content_type: str) -> str | None:
    """Return the reason why a content type cannot be accepted; None if it can."""
    media_type, *parameters = content_type.lower().split(";")
    media_type = media_type.strip()
    is_json = media_type.endswith(("/json", "+json"))
    # A JSON Patch is a list of operations, which no route takes.
    if not is_json or media_type == "application/json-patch+json":
        return "the body must be JSON: send Content-Type: application/json"
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in _CHARSETS:
            return "the body must be JSON in UTF-8: send Content-Type: application/json"
    return None


def _find_window(coding: str) -> int | None:
    """Return the window size of zlib for a coding; None if the body is as it is."""
    name = coding.strip().lower()
    if name in ("", "identity"):
        return None
    if name not in _WINDOWS:
        raise web.HTTPUnsupportedMediaType(
            text=f"the content coding {coding[:100]!r} is unknown; known are {_CODINGS}",
            headers={hdrs.ACCEPT_ENCODING: _CODINGS},
        )
    return _WINDOWS[name]


def _decompress(content: bytes, coding: str, window: int, limit: int) -> bytes:
    """Return decompressed content of at most `limit` bytes; a bomb is never unpacked further."""
    decoder = zlib.decompressobj(wbits=window)
    try:
        plain = decoder.decompress(content, limit + 1)
    except zlib.error as error:
        raise MalformedBody(f"the body is not {coding}, as Content-Encoding says") from error
    if len(plain) > limit:
        raise web.HTTPRequestEntityTooLarge(max_size=limit, actual_size=len(plain))
    if not decoder.eof or decoder.unused_data:
        raise MalformedBody(f"the body is not whole {coding}, as Content-Encoding says")
    return plain
