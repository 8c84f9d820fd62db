"""Looks: requests of administrators that read the rows of another user, by ``X-User-ID``.

A look sees what the user sees, and changes nothing: only GET and HEAD, and no route that is closed
to keys of scope ``read``, because such a route acts or shows a secret.
"""

from __future__ import annotations

import re
from dataclasses import replace

from aiohttp import hdrs, web
from multidict import istr

from biont.accounts.principal import Principal, Scope
from biont.event import set_cause
from biont.exceptions import Forbidden, InputProblem, InvalidInput, NotFound
from biont.http.api import Route
from biont.http.request import Request

USER_ID = istr("X-User-ID")

_NUMBER = re.compile(r"[1-9][0-9]{0,18}")
_LARGEST = 2**63 - 1


def may_look(route: Route) -> bool:
    """Return whether a route shows the rows of a user to an administrator."""
    # Routes for administrators have no rows of the user who asks.
    return (
        route.method == hdrs.METH_GET
        and not route.public
        and not route.admin
        and Scope.READ in route.allowed_scopes
    )


async def begin_look(request: Request, route: Route) -> Request:
    """Return the request with the principal whose rows ``X-User-ID`` names, if there is one.

    Raises:
        Forbidden: the user is no administrator, or the route cannot be used so.
        InvalidInput: there is no such user.
    """
    principal = request.principal
    text = _read_user(request.http, route)
    if text is None or principal is None:
        return request
    _check_viewer(principal)
    if route.method != hdrs.METH_GET:
        raise Forbidden(
            "the rows of another user can be read and not changed: send X-User-ID with GET and "
            "HEAD only"
        )
    if route.admin:
        return request
    if not may_look(route):
        raise Forbidden(
            "this route acts or shows a secret, so that it is closed to administrators; leave out "
            "X-User-ID"
        )
    user_id = _parse_user(text)
    if user_id == principal.user_id:
        return request
    # The cause of the request before on this connection.
    set_cause(None)
    looks = request.workbench.users.looks
    try:
        looking = await looks.begin(principal, user_id, request.http.path, request.client_address)
    except NotFound as error:
        raise InvalidInput(InputProblem(str(error), USER_ID)) from error
    return replace(request, principal=looking)


def _read_user(http: web.Request, route: Route) -> str | None:
    given = http.headers.getall(USER_ID, ())
    if given:
        return ", ".join(given)
    dialect = route.dialect
    return None if dialect is None or dialect.read_user is None else dialect.read_user(http)


def _check_viewer(principal: Principal) -> None:
    if not principal.is_admin:
        raise Forbidden(
            "only an administrator may see the rows of another user; leave out X-User-ID"
        )
    if principal.scope not in (Scope.FULL, Scope.READ) or principal.narrowing.is_narrow:
        raise Forbidden(
            "the rows of another user need a key of scope full or read that is not narrowed; use "
            "another key, or leave out X-User-ID"
        )


def _parse_user(text: str) -> int:
    if _NUMBER.fullmatch(text) is None or int(text) > _LARGEST:
        raise InvalidInput(InputProblem("must be the number of one user", USER_ID))
    return int(text)
