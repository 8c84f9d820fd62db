"""Routes to sign in and out: by an API key, or by a link that is valid once."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from biont import Request
from biont.exceptions import Conflict, InvalidInput, NotFound
from biont.http import call_api, read_form
from biont_dashboard.dialect import make_api
from biont_dashboard.html import respond_html
from biont_dashboard.links import find_link, use_link
from biont_dashboard.local_path import HOME, check_local_path
from biont_dashboard.looks import SIGN_OUT, end_look
from biont_dashboard.page import make_base_values, open_page
from biont_dashboard.rendering import load_renderer
from biont_dashboard.sessions import (
    COOKIE,
    begin_session,
    check_csrf_token,
    check_same_site,
    get_settings,
    set_session_cookie,
)

api = make_api()

Token = Annotated[str, Field(max_length=100)]

_SCOPES = ("full", "read")
_NAME_LIMIT = 100


@api.get("/", public=True)
async def open_root(_: Request) -> web.Response:
    """Lead to the dashboard."""
    return web.Response(status=302, headers={"Location": HOME})


@api.get("/dashboard/sign-in", public=True)
async def show_sign_in(request: Request) -> web.Response:
    """Show the form to sign in."""
    return _show_form(request, check_local_path(request.http.query.get("next")))


@api.post("/dashboard/sign-in", public=True)
async def sign_in(request: Request) -> web.Response:
    """Open a session with an API key."""
    http = request.http
    check_same_site(request)
    form = dict(await read_form(http))
    next_path = check_local_path(form.get("next"))
    key = form.get("key", "").strip()
    # By the API, which limits wrong keys.
    answer = await call_api(http, "GET", "/api/v1/me", key=key or None)
    me = answer.read_json()
    if not answer.is_ok or not isinstance(me, dict):
        detail = me.get("detail") if isinstance(me, dict) else None
        return _show_form(request, next_path, str(detail), answer.status)
    record = me["key"]
    if not isinstance(record, dict) or record["scope"] not in _SCOPES:
        text = "this key may not read; sign in with a key of scope full or read"
        return _show_form(request, next_path, text, 403)
    session = await begin_session(request, int(str(me["id"])), maker_key_id=int(str(record["id"])))
    return _enter(request, session, next_path)


@api.post(SIGN_OUT, readable=True)
async def sign_out(request: Request) -> web.Response:
    """End the session."""
    form = dict(await read_form(request.http))
    check_csrf_token(request, form.get("csrf"))
    await request.workbench.keys.end_session(request.key_id, actor=request.actor)
    response = web.Response(status=303, headers={"Location": "/dashboard/sign-in"})
    response.del_cookie(COOKIE, path="/")
    end_look(response)
    return response


@api.get("/dashboard/link/{token}", public=True)
async def show_link(request: Request, token: Token) -> web.Response:
    """Show what a link does, with the button that does it."""
    link = await request.workbench.store.read(find_link, token, request.workbench.clock.now())
    user = None if link.user_id is None else await request.workbench.users.get(link.user_id)
    return _render(request, "link.html", user=user and user.name, error=None)


@api.post("/dashboard/link/{token}", public=True)
async def open_link(request: Request, token: Token) -> web.Response:
    """Use a link: open a session of its user, or make the first user."""
    check_same_site(request)
    form = dict(await read_form(request.http))
    workbench, now = request.workbench, request.workbench.clock.now()
    link = await workbench.store.read(find_link, token, now)
    user_id, next_path = link.user_id, HOME
    if user_id is None:
        name = form.get("name", "").strip()
        if not 0 < len(name) <= _NAME_LIMIT or not name.isprintable():
            text = f"write a name of 1 to {_NAME_LIMIT} characters"
            return _render(request, "link.html", 422, user=None, error=text)
        # Before the user is made: of two clicks, one makes a user.
        await workbench.store.write(use_link, token, now)
        try:
            user_id = (await workbench.users.create(name)).id
        except (Conflict, InvalidInput) as error:
            raise NotFound(f"{error}; make another link by `biont dashboard link`") from error
        next_path = "/dashboard/welcome"
    else:
        await workbench.store.write(use_link, token, now)
    return _enter(request, await begin_session(request, user_id, maker_key_id=None), next_path)


@api.get("/dashboard/welcome")
async def show_welcome(request: Request) -> web.Response:
    """Show the first steps: the API key, chat, schedule and webhook."""
    page = await open_page(request)
    return await page.render("welcome.html")


def _enter(request: Request, session: str, next_path: str) -> web.Response:
    response = web.Response(status=303, headers={"Location": next_path})
    set_session_cookie(request.http, response, session, get_settings(request))
    return response


def _show_form(
    request: Request, next_path: str, error: str | None = None, status: int = 200
) -> web.Response:
    return _render(request, "sign_in.html", status, next=next_path, error=error, had_session=False)


def _render(request: Request, template: str, status: int = 200, **values: object) -> web.Response:
    values |= make_base_values(request)
    return respond_html(load_renderer().render(template, values), status)
