"""Sessions: the API key that a browser holds in a cookie, and the proof that a page made a form.

A session is an API key (`biont.accounts.ApiKeys.begin_session`), and the cookie holds the key.
Scripts cannot read the cookie (``HttpOnly``), and browsers do not send the cookie with requests
that other sites cause (``SameSite=Strict``). Browsers differ, so each form also has a token that
only pages of the session know: the HMAC of a fixed text, by the session's key.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta

import structlog
from aiohttp import web

from biont import Request
from biont.accounts import ApiKeys
from biont.exceptions import Forbidden, StoreUnavailable
from biont_dashboard.settings import DashboardSettings

COOKIE = "biont_session"
CSRF_HEADER = "X-CSRF-Token"

_log = structlog.get_logger("biont_dashboard")

_PURPOSE = b"form of the dashboard"
# A session is prolonged when this part of its time has passed: not by a write for each request.
_IDLE_PART = 0.05


def read_key(http: web.Request) -> str | None:
    """Return the session's key from the cookie; None without one."""
    return http.cookies.get(COOKIE) or None


def make_csrf_token(key: str) -> str:
    """Return the token for the forms of a session."""
    return hmac.new(_encode(key), _PURPOSE, hashlib.sha256).hexdigest()


def check_csrf_token(request: Request, token: str | None) -> None:
    """Check that a page of this session has made the request.

    Raises:
        Forbidden: the token is wrong, or the request comes from another site.
    """
    check_same_site(request)
    expected = make_csrf_token(read_key(request.http) or "")
    if not hmac.compare_digest(_encode(expected), _encode(token or "")):
        raise Forbidden("this form belongs to another session; load the page again")


def check_same_site(request: Request) -> None:
    """Check that a request does not come from a page of another site.

    Browsers send ``Sec-Fetch-Site`` over TLS and on the loopback only, and ``Origin`` with each
    form. A program that is no browser sends neither.

    Raises:
        Forbidden: the browser says that it does.
    """
    headers = request.http.headers
    origin = headers.get("Origin")
    is_foreign = origin is not None and origin.lower() not in _list_origins(request)
    if headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none") or is_foreign:
        raise Forbidden(
            "this request comes from another site; open the dashboard itself, or set "
            "plugins.dashboard.url to the address that browsers use"
        )


def _list_origins(request: Request) -> Sequence[str]:
    """Return the origins of the dashboard's own pages."""
    own = [f"{scheme}://{request.http.host}".lower() for scheme in ("http", "https")]
    url = get_settings(request).url
    return own if url is None else [*own, url.lower()]


def _encode(text: str) -> bytes:
    # A header may have bytes that are no UTF-8.
    return text.encode(errors="replace")


def is_secure(http: web.Request, settings: DashboardSettings) -> bool:
    """Return whether the browser reaches the workbench over TLS."""
    return http.secure or (settings.url or "").startswith("https:")


def find_origin(request: Request) -> str:
    """Return the scheme, host and port at which browsers reach the workbench."""
    url = get_settings(request).url
    if url is not None:
        return url
    try:
        return str(request.http.url.origin())
    except ValueError:
        # The client has sent a header `Host` that is no host.
        server = request.workbench.settings.server
        return f"http://{server.host}:{server.port}"


def set_session_cookie(
    http: web.Request, response: web.StreamResponse, key: str, settings: DashboardSettings
) -> None:
    """Let the browser hold the session's key, until the browser or the session ends."""
    response.set_cookie(
        COOKIE,
        key,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=is_secure(http, settings),
    )


async def begin_session(request: Request, user_id: int, *, maker_key_id: int | None) -> str:
    """Return the key of a new session.

    Args:
        request: the request that signs in.
        user_id: the user.
        maker_key_id: the API key that signs in; None for a link.
    """
    now, settings = request.workbench.clock.now(), get_settings(request)
    keys: ApiKeys = request.workbench.keys
    plain, _ = await keys.begin_session(
        user_id,
        name_browser(request.http),
        maker_key_id=maker_key_id,
        address=request.client_address,
        until=now + timedelta(hours=settings.session_hours),
    )
    return plain


async def prolong_session(request: Request) -> None:
    """Let the session end only when nobody uses it any more."""
    principal = request.principal
    if principal is None or principal.expires_at is None or not principal.is_session:
        return
    whole = timedelta(hours=get_settings(request).session_hours)
    now = request.workbench.clock.now()
    if principal.expires_at - now < whole * (1 - _IDLE_PART):
        try:
            await request.workbench.keys.extend_session(principal.key_id, now + whole)
        except StoreUnavailable as error:
            # Pages can be read while nothing can be written, such as on a full disk.
            _log.warning("session not prolonged", key=principal.key_id, error=str(error))


def get_settings(request: Request) -> DashboardSettings:
    """Return the settings of the dashboard."""
    return request.workbench.plugin_settings("dashboard", DashboardSettings)


_BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari", "curl")
_NAMES = {"Edg": "Edge", "OPR": "Opera"}
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")


def name_browser(http: web.Request) -> str:
    """Return a name to recognise a session by, such as ``Firefox on Linux``."""
    agent = http.headers.get("User-Agent", "")
    browser = next((each for each in _BROWSERS if f"{each}/" in agent), "Browser")
    system = next((each for each in _SYSTEMS if each in agent), None)
    name = _NAMES.get(browser, browser)
    return name if system is None else f"{name} on {system.removesuffix(' OS X')}"
