"""Routes that begin and end a look at the rows of another user."""

from __future__ import annotations

from aiohttp import web

from biont import Request
from biont.http import read_form
from biont_dashboard.dialect import make_api
from biont_dashboard.local_path import HOME
from biont_dashboard.looks import BEGIN, END, begin_look, end_look
from biont_dashboard.page import open_page
from biont_dashboard.sessions import check_csrf_token
from biont_dashboard.visit import read_object

api = make_api()


@api.post(BEGIN, readable=True)
async def start_looking(request: Request) -> web.Response:
    """Show the rows of another user from now on, to an administrator."""
    form = dict(await read_form(request.http))
    check_csrf_token(request, form.get("csrf"))
    page = await open_page(request)
    # By the API, which knows who may look.
    headers = {"X-User-ID": form.get("user", "")}
    me = read_object(await page.call("GET", "/api/v1/me", headers=headers))
    response = web.Response(status=303, headers={"Location": HOME})
    begin_look(request, response, int(str(me["id"])))
    return response


@api.post(END, readable=True)
async def stop_looking(request: Request) -> web.Response:
    """Show own rows again."""
    form = dict(await read_form(request.http))
    check_csrf_token(request, form.get("csrf"))
    response = web.Response(status=303, headers={"Location": "/dashboard/users"})
    end_look(response)
    return response
