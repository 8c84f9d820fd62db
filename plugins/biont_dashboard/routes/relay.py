"""Route of the relay: the REST API by the session, for the script of the pages."""

from __future__ import annotations

from aiohttp import web

from biont import Request
from biont.http import RateClass, relay_request
from biont_dashboard.dialect import make_api
from biont_dashboard.sessions import CSRF_HEADER, check_csrf_token, read_key

api = make_api()


async def relay(request: Request, path: str) -> web.StreamResponse:
    """Answer as the REST API does."""
    if request.http.method not in ("GET", "HEAD"):
        check_csrf_token(request, request.http.headers.get(CSRF_HEADER))
    headers = {}
    if request.user_id != request.key_user_id:
        headers["X-User-ID"] = str(request.user_id)
    key = read_key(request.http)
    return await relay_request(request.http, f"/api/v1/{path}", key=key, headers=headers)


for _method in ("GET", "POST", "PATCH", "DELETE"):
    api.route(
        _method,
        "/dashboard/api/v1/{path:.*}",
        # The API counts the call by its own class.
        rate_class=RateClass.READ,
    )(relay)
