"""HTTP application: serves every route of the core and of the plugins."""

from __future__ import annotations

from collections.abc import Sequence
from string import Formatter

from aiohttp import web

from biont.accounts.api_keys import Principal
from biont.http.api import Api
from biont.http.endpoint import Endpoint
from biont.http.error_responses import answer_error
from biont.http.request import Request
from biont.workbench import Workbench


def make_endpoints(owner: str, api: Api, workbench: Workbench) -> list[Endpoint]:
    """Return the endpoints of one plugin, or of the core.

    Args:
        owner: the plugin that has the routes, or ``core``.
        api: the routes.
        workbench: the workbench that route functions get with each request.

    Raises:
        PluginError: the signature of a route function is incomplete.
    """

    def make_request(http: web.Request, principal: Principal | None) -> Request:
        return Request(http, workbench, principal)

    return [
        Endpoint(owner, route, authenticate=workbench.keys.authenticate, make_request=make_request)
        for route in api
    ]


def make_app(endpoints: Sequence[Endpoint], *, body_limit: int) -> web.Application:
    """Return an application that serves `endpoints`.

    Args:
        endpoints: all endpoints; literal paths win over parameters.
        body_limit: the largest request body, in bytes.
    """
    # No middleware: each middleware costs time in every request, and endpoints answer errors.
    # `read_body` decompresses: aiohttp would fail on a wrong coding, and ignore an unknown one.
    app = web.Application(client_max_size=body_limit, handler_args={"auto_decompress": False})
    # aiohttp takes the first match. A literal segment sorts before the brace of a parameter:
    # /keys/create, then /keys/{id}.
    for endpoint in sorted(endpoints, key=lambda endpoint: endpoint.route.path):
        route = endpoint.route
        app.router.add_route(route.method, route.path, endpoint.answer_request)
    app.router.add_route("*", "/{path:.*}", _answer_unknown_route)
    return app


async def _answer_unknown_route(request: web.Request) -> web.StreamResponse:
    """Return 405 if the path has routes with other methods, else 404."""
    *others, _ = request.app.router.resources()
    allowed: set[str] = set()
    for resource in others:
        _, methods = await resource.resolve(request)
        allowed |= methods
    error = web.HTTPMethodNotAllowed(request.method, allowed) if allowed else web.HTTPNotFound()
    return answer_error(request, error)


def normalise_path(path: str) -> str:
    """Return `path` with the names of all parameters removed."""
    return "".join(
        literal + ("{}" if name is not None else "")
        for literal, name, _, _ in Formatter().parse(path)
    )
