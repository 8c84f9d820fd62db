"""Dialect of the pages: the key comes from the cookie, and errors are pages, too.

An error for the script is JSON: the members of a problem document, with ``ok: false``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar, Unpack

import orjson
from aiohttp import web

from biont import Api
from biont.http import Dialect, ProblemDetails, RouteOptions
from biont_dashboard.html import respond_html
from biont_dashboard.looks import find_look, read_user
from biont_dashboard.rendering import load_renderer
from biont_dashboard.sessions import COOKIE, make_csrf_token, read_key

F = TypeVar("F", bound=Callable[..., Awaitable[object]])


def wants_json(http: web.Request) -> bool:
    """Return whether the script of a page has made the request."""
    return "application/json" in http.headers.get("Accept", "")


def write_problem(http: web.Request, problem: ProblemDetails) -> web.Response:
    """Return a problem as a page: the form to sign in for 401."""
    document = problem.to_document()
    if wants_json(http):
        return web.Response(
            status=problem.status,
            body=orjson.dumps({"ok": False, **document}),
            content_type="application/json",
            headers=problem.headers,
        )
    if problem.status == HTTPStatus.UNAUTHORIZED:
        next_path = str(http.rel_url) if http.method == "GET" else "/dashboard"
        had_session = COOKIE in http.cookies
        values = {"next": next_path, "had_session": had_session, "error": None}
        response = respond_html(load_renderer().render("sign_in.html", values), problem.status)
        # Each further use of a dead key would count as a wrong one.
        response.del_cookie(COOKIE, path="/")
        return response
    values = {
        "status": problem.status,
        "title": HTTPStatus(problem.status).phrase,
        # The look may be the error, such as at a user who was deleted.
        "looked_at": find_look(http),
        "csrf": make_csrf_token(read_key(http) or ""),
        **document,
    }
    response = respond_html(load_renderer().render("error.html", values), problem.status)
    response.headers.update(problem.headers or {})
    return response


HTML = Dialect(
    write_problem=write_problem, read_key=read_key, read_user=read_user, media_type="text/html"
)
"""The conventions of the pages."""


class PageApi(Api):
    """Routes of pages: not in the API document, and open to any query parameter."""

    def route(self, method: str, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Register a function as the route function of `method` and `path`."""
        options.setdefault("described", False)
        options.setdefault("takes_any_query", True)
        return super().route(method, path, **options)


def make_api() -> PageApi:
    """Return an empty group of routes."""
    return PageApi("dashboard", root="", dialect=HTML)
