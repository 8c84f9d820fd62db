"""Looks of administrators at the rows of another user, from page to page, by a cookie.

The cookie has the number of the user, signed by the session's key: another program on this host
cannot begin a look, and a look ends with its session. The requests to the REST API that a page
makes have the header ``X-User-ID``, so that the API decides who may look, and at what.
"""

from __future__ import annotations

import hashlib
import hmac

from aiohttp import web

from biont import Request
from biont_dashboard.sessions import get_settings, is_secure, read_key

COOKIE = "biont_look"

BEGIN, END = "/dashboard/look", "/dashboard/look/stop"
SIGN_OUT = "/dashboard/sign-out"

# Acts of the session itself, which concern no rows. All other forms are refused while looking.
_OWN_ACTS = (BEGIN, END, SIGN_OUT)


def read_user(http: web.Request) -> str | None:
    """Return the number of the user at whose rows the browser looks; None for own rows."""
    return None if http.path in _OWN_ACTS else find_look(http)


def find_look(http: web.Request) -> str | None:
    """Return the number of the user in the cookie; None if this session has begun no look."""
    user, _, signature = http.cookies.get(COOKIE, "").partition(".")
    key = read_key(http)
    if key is None or not hmac.compare_digest(
        _sign(user, key), signature.encode(errors="replace")
    ):
        return None
    return user


def begin_look(request: Request, response: web.StreamResponse, user_id: int) -> None:
    """Let all pages of the session show the rows of a user."""
    http, user = request.http, str(user_id)
    signature = _sign(user, read_key(http) or "").decode()
    response.set_cookie(
        COOKIE,
        f"{user}.{signature}",
        path="/",
        httponly=True,
        samesite="Strict",
        secure=is_secure(http, get_settings(request)),
    )


def end_look(response: web.StreamResponse) -> None:
    """Let the pages show own rows again."""
    response.del_cookie(COOKIE, path="/")


def _sign(user: str, key: str) -> bytes:
    text = f"look at {user}".encode(errors="replace")
    return hmac.new(key.encode(errors="replace"), text, hashlib.sha256).hexdigest().encode()
