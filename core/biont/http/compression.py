"""Compression of answers by the coding that a client accepts: zstd or gzip."""

from __future__ import annotations

import asyncio
import gzip
import re
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

from aiohttp import hdrs, web

from biont.http.response_headers import add_vary

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_SMALLEST = 1024
# Compressing this much takes about a millisecond, for which the event loop should not wait.
_LARGE = 32 * 1024
_LEVEL = 5


def _compress_gzip(content: bytes) -> bytes:
    # Without a time, so that equal answers stay equal.
    return gzip.compress(content, _LEVEL, mtime=0)


_CODERS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {"zstd": zstd.compress, "gzip": _compress_gzip}
)
_WRITTEN = re.compile(
    r"text/|application/(?:[^;]*[+])?(?:json|xml|javascript)|application/x-ndjson"
)
_CODED = re.compile(rf"(.*)-(?:{'|'.join(_CODERS)})")


async def compress_answer(http: web.BaseRequest, response: web.StreamResponse) -> None:
    """Compress an answer of more than 1 KB if it is text and the client accepts a coding.

    A stream of events is not compressed, because each event has to arrive at once. A file that is
    sent in pieces is compressed by gzip.
    """
    if not isinstance(response, web.Response):
        return
    content = response.body
    if content is None:
        return
    if isinstance(content, bytes) and len(content) <= _SMALLEST:
        return
    if hdrs.CONTENT_ENCODING in response.headers or not _WRITTEN.match(response.content_type):
        return
    add_vary(response, hdrs.ACCEPT_ENCODING)
    coding = choose_coding(http.headers.get(hdrs.ACCEPT_ENCODING, ""))
    if coding is None:
        return
    if not isinstance(content, bytes):
        if accepts_gzip(http.headers.get(hdrs.ACCEPT_ENCODING, "")):
            response.enable_compression(web.ContentCoding.gzip)
        return
    compress = _CODERS[coding]
    if len(content) < _LARGE:
        response.body = compress(content)
    else:
        response.body = await asyncio.to_thread(compress, content)
    response.headers[hdrs.CONTENT_ENCODING] = coding
    tag = response.headers.get(hdrs.ETAG)
    if tag is not None and tag.endswith('"'):
        # A strong tag names the bytes of the answer, which each coding changes.
        response.headers[hdrs.ETAG] = f'{tag[:-1]}-{coding}"'


def name_coded_tag(http: web.BaseRequest, tag: str, size: int) -> str:
    """Return the text of an entity tag as `compress_answer` would send it.

    Args:
        http: the request.
        tag: the text of the tag without a coding.
        size: the size of the answer, in bytes.
    """
    coding = choose_coding(http.headers.get(hdrs.ACCEPT_ENCODING, ""))
    return tag if coding is None or size <= _SMALLEST else f"{tag}-{coding}"


def drop_coding(tag: str) -> str:
    """Return the text of an entity tag without the coding that `compress_answer` has added."""
    coded = _CODED.fullmatch(tag)
    return tag if coded is None else coded[1]


@lru_cache(maxsize=256)
def choose_coding(accepted: str) -> str | None:
    """Return the first coding that ``Accept-Encoding`` permits; None for no coding.

    A coding with the weight 0 is not permitted (RFC 9110, section 12.5.3).
    """
    weights = _read_weights(accepted)
    best = max(_CODERS, key=lambda name: weights.get(name, weights.get("*", 0.0)))
    return best if weights.get(best, weights.get("*", 0.0)) > 0 else None


@lru_cache(maxsize=256)
def accepts_gzip(accepted: str) -> bool:
    """Return whether ``Accept-Encoding`` permits gzip."""
    weights = _read_weights(accepted)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _read_weights(accepted: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, parameter = part.partition(";")
        key, _, value = parameter.strip().partition("=")
        try:
            weights[name.strip()] = float(value) if key.strip() == "q" else 1.0
        except ValueError:
            weights[name.strip()] = 0.0
    weights.pop("", None)
    return weights
