"""Page of the echo receiver: requests of webhooks, for users without a receiver.

The echo receiver is a listener named ``echo``. So nothing is sent to this machine, which the
egress guard forbids, and the user sees signed requests at once.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from aiohttp import web

from biont import Request
from biont_dashboard.dialect import make_api
from biont_dashboard.page import DashboardPage, open_page
from biont_dashboard.visit import Object, list_objects

_LISTENERS = "/api/v1/webhooks/listeners"
_NAME = "echo"
_SHOWN = 50
_LONGEST_LINE = 2000

api = make_api()


@dataclass(frozen=True, slots=True)
class EchoedRequest:
    """Request that a webhook would get.

    Attributes:
        message: the message of the API.
        text: the request as it would go over the wire.
        line: a shell line that computes the signature; empty for a long body.
    """

    message: Object
    text: str
    line: str


@api.get("/dashboard/webhooks/echo")
async def show_echo_receiver(request: Request) -> web.Response:
    """Show the requests that the echo receiver has got, the newest first."""
    page = await open_page(request, plugin="webhooks")
    listener = await _find_listener(page)
    found = None
    if listener is not None and page.has_plugin("audit"):
        # None for a session that may not read signed requests.
        found = await page.read_or_none(f"{_LISTENERS}/{listener['id']}/messages", limit=_SHOWN)
    messages = [] if found is None else list_objects(found, "data")
    return await page.render(
        "webhooks/echo.html",
        name=_NAME,
        listener=listener,
        path=None if listener is None else f"{_LISTENERS}/{listener['id']}",
        found=found,
        echoed=[_make_request(message) for message in reversed(messages)],
        has_log=page.has_plugin("audit"),
    )


async def _find_listener(page: DashboardPage) -> Object | None:
    listeners = await page.read_rows(_LISTENERS, limit=100)
    return next((row for row in listeners if row["name"] == _NAME), None)


def _make_request(message: Object) -> EchoedRequest:
    body = str(message["body"])
    is_short = len(body) <= _LONGEST_LINE
    line = f'printf %s {shlex.quote(body)} | openssl dgst -sha256 -hmac "$SECRET"'
    headers = message["headers"]
    pairs = headers.items() if isinstance(headers, dict) else ()
    lines = [f"{name}: {value}" for name, value in pairs]
    text = "\n".join(["POST /hook HTTP/1.1", *lines, "", body])
    return EchoedRequest(message, text, line if is_short else "")
