"""HTTP application: serves every route of the core and of the plugins."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from ipaddress import ip_network
from itertools import groupby

from aiohttp import HttpVersion11, hdrs, web

from biont.accounts.principal import Principal
from biont.http.admission import ADMISSION
from biont.http.api import Api
from biont.http.body import BODY_TIMEOUT
from biont.http.client_address import TRUSTED_PROXIES
from biont.http.conditions import make_taggers
from biont.http.cors import CROSS_ORIGIN, CrossOrigin
from biont.http.deprecation import add_deprecation_headers
from biont.http.endpoint import Endpoint
from biont.http.error_responses import answer_error
from biont.http.no_path import NoPathResource
from biont.http.request import Request
from biont.http.request_id import begin_request
from biont.http.response_headers import add_standard_headers
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

    taggers = make_taggers(api)
    return [
        Endpoint(
            owner,
            route,
            admission=workbench.get(ADMISSION),
            make_request=make_request,
            uses=workbench.keys.uses.make_counter(route.name),
            tagger=taggers.get(route),
        )
        for route in api
    ]


def make_app(
    endpoints: Sequence[Endpoint],
    *,
    body_limit: int,
    body_timeout: float,
    cors_origins: Collection[str] = (),
    trusted_proxies: Collection[str] = (),
) -> web.Application:
    """Return an application that serves `endpoints`.

    Args:
        endpoints: all endpoints; literal paths win over parameters.
        body_limit: the largest request body, in bytes.
        body_timeout: the seconds that the body of a request may take.
        cors_origins: the origins of pages that may use the API, or ``*``; see `biont.http.cors`.
        trusted_proxies: the networks of proxies; see `biont.http.client_address`.
    """
    # No middleware: each middleware costs time in every request, and endpoints answer errors.
    # `read_body` decompresses: aiohttp would fail on a wrong coding, and ignore an unknown one.
    app = web.Application(client_max_size=body_limit, handler_args={"auto_decompress": False})
    app[BODY_TIMEOUT] = body_timeout
    app.on_response_prepare.append(add_standard_headers)
    if any(endpoint.route.deprecated for endpoint in endpoints):
        app.on_response_prepare.append(add_deprecation_headers)
    if trusted_proxies:
        app[TRUSTED_PROXIES] = [ip_network(each) for each in trusted_proxies]
    if cors_origins:
        app[CROSS_ORIGIN] = cross_origin = CrossOrigin(cors_origins)
        app.on_response_prepare.append(cross_origin.add_headers)
    add_route = partial(app.router.add_route, expect_handler=_answer_expectation)
    # aiohttp takes the first match. A literal segment sorts before the brace of a parameter:
    # /keys/create, then /keys/{id}.
    ordered = sorted(endpoints, key=lambda endpoint: endpoint.route.path)
    for path, group in groupby(ordered, key=lambda endpoint: endpoint.route.path):
        for endpoint in group:
            add_route(endpoint.route.method, path, endpoint.answer_request)
            if endpoint.route.method == hdrs.METH_GET:
                add_route(hdrs.METH_HEAD, path, endpoint.answer_request)
        # Here and not below, or DELETE /keys/create would be DELETE /keys/{id}.
        add_route("*", path, _answer_other_method)
    add_route("*", "/{path:.*}", _answer_unknown_path)
    app.router.register_resource(NoPathResource())
    return app


async def _answer_expectation(request: web.Request) -> web.StreamResponse | None:
    """Ask the client for the body, or return 417 for an expectation that is unknown."""
    if request.version < HttpVersion11:
        return None
    if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
        begin_request(request)
        problem = web.HTTPExpectationFailed(text="the only known expectation is 100-continue")
        return answer_error(request, problem)
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    # Nothing of the answer is sent yet, so an error can still become the answer.
    request.writer.output_size = 0
    return None


async def _answer_other_method(request: web.Request) -> web.StreamResponse:
    """Return the methods of a path: 204 for OPTIONS, else 405."""
    begin_request(request)
    resource = request.match_info.route.resource
    methods = {route.method for route in resource} if resource is not None else set()
    allowed = sorted(methods - {"*"} | {hdrs.METH_OPTIONS})
    headers: dict[str, str] = {hdrs.ALLOW: ", ".join(allowed)}
    if request.method == hdrs.METH_OPTIONS:
        return _answer_options(request, headers, allowed)
    error = web.HTTPMethodNotAllowed(request.method, allowed)
    error.headers.update(headers)
    return answer_error(request, error)


def _answer_options(
    request: web.Request, headers: Mapping[str, str], allowed: Sequence[str]
) -> web.Response:
    response = web.Response(status=204, headers=headers)
    cross_origin = request.app.get(CROSS_ORIGIN)
    if cross_origin is not None:
        cross_origin.answer_preflight(request, response, allowed)
    return response


async def _answer_unknown_path(request: web.Request) -> web.StreamResponse:
    begin_request(request)
    return answer_error(request, web.HTTPNotFound())
