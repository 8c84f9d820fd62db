"""Headers of every response."""

from __future__ import annotations

from aiohttp import hdrs, web
from multidict import istr

from biont.http.request_id import REQUEST_ID, get_request_id

RATE_LIMIT = web.RequestKey("biont_rate_limit", tuple[str, str])
"""The policy and the state of the limit that a request counts for."""

_POLICY = istr("RateLimit-Policy")
_STATE = istr("RateLimit")
_CONTENT_TYPE_OPTIONS = istr("X-Content-Type-Options")
# Without a version, which would tell strangers for which weaknesses to look.
_SERVER = "biont"
# Answers have the data of one user, and some have a secret.
_CACHE_CONTROL = "no-store"


async def add_standard_headers(http: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that every response has; a signal handler of aiohttp."""
    headers = response.headers
    request_id = get_request_id()
    if request_id is not None:
        headers[REQUEST_ID] = request_id
    headers[hdrs.SERVER] = _SERVER
    headers[_CONTENT_TYPE_OPTIONS] = "nosniff"
    limit = http.get(RATE_LIMIT)
    if limit is not None:
        headers[_POLICY], headers[_STATE] = limit
    if hdrs.CACHE_CONTROL not in headers:
        headers[hdrs.CACHE_CONTROL] = _CACHE_CONTROL


def add_vary(response: web.StreamResponse, *names: str) -> None:
    """Say that an answer depends on headers of the request."""
    present = response.headers.get(hdrs.VARY)
    response.headers[hdrs.VARY] = ", ".join([*([present] if present else []), *names])
