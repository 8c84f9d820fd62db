"""Requests whose target is no path: ``OPTIONS *``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Never

from aiohttp import hdrs, web
from yarl import URL

from biont.http.error_responses import answer_error
from biont.http.request_id import begin_request

_METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST"


class NoPathResource(web.AbstractResource):
    """Resource of all request targets that begin with no slash.

    Without it, aiohttp would answer with a plain text that has no request id.
    """

    def __init__(self) -> None:
        super().__init__()
        self._route = web.ResourceRoute("*", _answer, self)

    @property
    def canonical(self) -> str:
        """The path under which the router looks for the resource."""
        return "/"

    def url_for(self, **_: str) -> URL:
        """Return the target."""
        return URL("*")

    async def resolve(
        self, request: web.Request
    ) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        """Return the route for a target without a slash."""
        if request.rel_url.raw_path.startswith("/"):
            return None, set()
        return web.UrlMappingMatchInfo({}, self._route), {"*"}

    def add_prefix(self, prefix: str) -> Never:
        """Refuse a prefix, because the targets are no paths."""
        raise NotImplementedError(prefix)

    def get_info(self) -> Never:
        """Refuse a description, which aiohttp knows for paths only."""
        raise NotImplementedError

    def raw_match(self, path: str) -> bool:
        """Return whether `path` is the path of the resource."""
        return path == "*"

    def __len__(self) -> int:
        """Return the number of routes."""
        return 1

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        """Yield the route."""
        yield self._route


async def _answer(request: web.Request) -> web.StreamResponse:
    """Return 204 for ``OPTIONS *``, which asks about the whole server, else 404."""
    begin_request(request)
    if request.method == hdrs.METH_OPTIONS:
        return web.Response(status=204, headers={hdrs.ALLOW: _METHODS})
    return answer_error(request, web.HTTPNotFound())
