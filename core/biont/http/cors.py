"""Cross-origin requests: use of the API by web pages of other origins (CORS).

A browser sends the origin of a page in ``Origin``. The page may read an answer only if the answer
repeats the origin. Before a request with a key, a browser asks for permission by a preflight:
OPTIONS with ``Access-Control-Request-Method``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from aiohttp import hdrs, web

from biont.http.causation_headers import CORRELATION, HOPS
from biont.http.idempotency import IDEMPOTENCY_KEY
from biont.http.looks import USER_ID
from biont.http.request_id import REQUEST_ID
from biont.http.response_headers import add_vary
from biont.http.tagged_responses import PREFER

_READ = frozenset(
    name.lower()
    for name in (
        hdrs.ACCEPT,
        hdrs.AUTHORIZATION,
        hdrs.CONTENT_ENCODING,
        hdrs.CONTENT_TYPE,
        hdrs.IF_MATCH,
        hdrs.IF_NONE_MATCH,
        CORRELATION,
        HOPS,
        IDEMPOTENCY_KEY,
        "Last-Event-ID",
        PREFER,
        "X-API-Key",
        REQUEST_ID,
        USER_ID,
    )
)
# Nobody reads these, but OpenAI's client sends them with each request.
_OPENAI_CLIENT = ("x-stainless-", "openai-")
_EXPOSED = (
    "Link, Location, Retry-After, X-Request-ID, ETag, Allow, WWW-Authenticate, "
    "Content-Disposition, Idempotency-Replayed, Preference-Applied, "
    "RateLimit, RateLimit-Policy"
)
_MAX_AGE = "600"
_HEADERS_ASKED_FOR = 100


class CrossOrigin:
    """Permission for web pages of some origins.

    Args:
        origins: the permitted origins, as browsers send them; ``*`` for all.
    """

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = frozenset(origins)
        self._allows_all = "*" in self._origins

    def allows(self, origin: str) -> bool:
        """Return whether pages of `origin` may use the API."""
        return self._allows_all or origin in self._origins

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Permit the page to read a response; a signal handler of aiohttp."""
        # Also without permission, or a cache would give one page the answer for another.
        add_vary(response, hdrs.ORIGIN)
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or not self.allows(origin):
            return
        # Never with Allow-Credentials: keys are headers, which a page has to know.
        permitted = "*" if self._allows_all else origin
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = permitted
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED

    def answer_preflight(
        self, request: web.Request, response: web.StreamResponse, methods: Iterable[str]
    ) -> None:
        """Add the permission to the answer of a preflight; nothing to any other OPTIONS.

        Args:
            request: the request with the method OPTIONS.
            response: the answer.
            methods: the methods of the path.
        """
        asked = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_METHOD)
        if asked is None or not self.allows(request.headers.get(hdrs.ORIGIN, "null")):
            return
        add_vary(response, hdrs.ACCESS_CONTROL_REQUEST_METHOD, hdrs.ACCESS_CONTROL_REQUEST_HEADERS)
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = ", ".join(methods)
        response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = _MAX_AGE
        wanted = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS, "")
        names = [name.strip() for name in wanted.split(",", _HEADERS_ASKED_FOR)]
        read = [name for name in names if _is_read(name.lower())]
        if read:
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = ", ".join(read)


CROSS_ORIGIN = web.AppKey("biont_cross_origin", CrossOrigin)
"""The permission of an application; absent if no origin is permitted."""


def _is_read(name: str) -> bool:
    if name in _READ:
        return True
    return name.startswith(_OPENAI_CLIENT) and name.replace("-", "").isalnum() and name.isascii()
