"""Applications of receivers, for WSGI and ASGI servers; the file is in the variable RECEIVED."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

from flask import Flask, request

flask_app = Flask(__name__)


def write_id(message_id: str) -> None:
    """Append a line; one write for each line, so that lines of several processes stay whole."""
    number = os.open(os.environ["RECEIVED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(number, f"{message_id}\n".encode())
    finally:
        os.close(number)


@flask_app.post("/")
def receive() -> str:
    """Note the request; answer 200."""
    request.get_data()
    write_id(request.headers["webhook-id"])
    return "ok"


async def asgi_app(
    scope: dict[str, Any],
    take: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Note the request; answer 200."""
    if scope["type"] != "http":
        return
    while (await take()).get("more_body"):
        pass
    write_id(dict(scope["headers"])[b"webhook-id"].decode())
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
