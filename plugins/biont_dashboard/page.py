"""Pages: rendered answers to a visit, with the navigation and the panels of plugins."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from urllib.parse import quote, unquote

from aiohttp import web
from pydantic import JsonValue

from biont import Request
from biont.exceptions import Forbidden
from biont_dashboard.curl import write_curl_line
from biont_dashboard.html import respond_html
from biont_dashboard.navigation import NavGroup, list_groups
from biont_dashboard.panels import render_panels
from biont_dashboard.rendering import load_renderer
from biont_dashboard.sessions import find_origin, make_csrf_token, prolong_session
from biont_dashboard.visit import Visit

FLASH = "biont_flash"
"""The cookie with a sentence for the next page."""

_FLASH_LENGTH = 300
_LIVE = "X-Live-Part"


@dataclass(frozen=True, slots=True)
class PageHead:
    """Head and navigation of a page, as the base template shows them.

    Attributes:
        user: the name of the user.
        user_id: the number of the user.
        scope: the scope of the session.
        is_admin: whether the user is an administrator.
        is_read_only: whether the session can change nothing.
        viewed: the name of the user whose rows an administrator looks at; None for own rows.
        path: the path with the query, for links back.
        csrf: the token for forms.
        flash: a sentence about the last act.
        nav: the groups of the navigation.
        version: the version of the workbench.
    """

    user: str
    user_id: int
    scope: str
    is_admin: bool
    is_read_only: bool
    viewed: str | None
    path: str
    csrf: str
    flash: str | None
    nav: Sequence[NavGroup]
    version: str


class DashboardPage(Visit):
    """Visit that is answered by a page; `open_page` makes one."""

    async def render(
        self, template: str, *, status: int = 200, panels_of: str | None = None, **values: object
    ) -> web.Response:
        """Return the page as a response.

        Args:
            template: the file of the template.
            status: the HTTP status.
            panels_of: the name of the page in the slots of panels; None for no panels.
            values: the values of the template, beside those of every page.
        """
        values |= self.make_values()
        values["top_panels"] = values["bottom_panels"] = ()
        if panels_of is not None:
            values["top_panels"] = await render_panels(self, f"{panels_of}:top", values)
            values["bottom_panels"] = await render_panels(self, f"{panels_of}:bottom", values)
        text = load_renderer().render(template, values)
        response = respond_html(text, status)
        if FLASH in self.http.cookies:
            response.del_cookie(FLASH, path="/")
        return response

    def make_values(self) -> dict[str, object]:
        """Return the values that every template gets."""
        return make_base_values(self.request) | {
            "page": PageHead(
                user=self.user.name,
                user_id=self.user.id,
                scope="" if self.request.principal is None else self.request.principal.scope,
                is_admin=self.is_admin,
                is_read_only=self.is_read_only,
                viewed=None if self.viewed is None else self.viewed.name,
                path=str(self.http.rel_url),
                csrf=make_csrf_token(self.key),
                flash=read_flash(self.http),
                nav=list_groups(self),
                version=self.system.version,
            )
        }


async def open_page(request: Request, *, plugin: str | None = None) -> DashboardPage:
    """Return the page for a request.

    Args:
        request: the request of the browser.
        plugin: the plugin whose routes the page reads; None for the core.

    Raises:
        NotFound: the plugin does not run.
    """
    # The script fetches a page again and again, also when nobody looks at the page.
    if _LIVE not in request.http.headers:
        await prolong_session(request)
    users, viewed = request.workbench.users, None
    if request.user_id != request.key_user_id:
        viewed = await users.get(request.user_id)
    page = DashboardPage(request, await users.get(request.key_user_id), viewed)
    await page.count_waiting()
    if plugin is not None:
        page.need_plugin(plugin)
    return page


def need_admin(page: DashboardPage) -> None:
    """Check that the user is an administrator.

    Raises:
        Forbidden: the user is not.
    """
    if not page.is_admin:
        raise Forbidden("only an administrator may see this page")


def make_base_values(request: Request) -> dict[str, object]:
    """Return the values that templates need also where nobody has signed in."""
    origin = find_origin(request)
    principal = request.principal
    viewed = principal.user_id if principal is not None and principal.viewer_id else None

    def write_line(
        method: str,
        path: str,
        body: JsonValue = None,
        query: Mapping[str, JsonValue] | None = None,
    ) -> str:
        return write_curl_line(origin, method, path, body, query, user_id=viewed)

    # Random for idempotency keys; one draw for each page, because a page has many forms.
    prefix, numbers = secrets.token_hex(12), count()
    return {
        "new_id": lambda: f"{prefix}{next(numbers):x}",
        "now": request.workbench.clock.now(),
        "curl_line": write_line,
        "origin": origin,
    }


def set_flash(response: web.StreamResponse, text: str) -> None:
    """Show a sentence on the next page."""
    if text:
        value = quote(text[:_FLASH_LENGTH])
        response.set_cookie(FLASH, value, path="/", httponly=True, samesite="Strict", max_age=60)


def read_flash(http: web.Request) -> str | None:
    """Return the sentence that the last act has left."""
    value = http.cookies.get(FLASH)
    # Another program on this host may have set the cookie, to any bytes.
    return None if value is None else unquote(value).encode(errors="replace").decode()
