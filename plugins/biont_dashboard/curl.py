"""Shell lines of ``curl`` for calls of the REST API."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from urllib.parse import urlencode

import orjson
from pydantic import JsonValue


def write_curl_line(
    origin: str,
    method: str,
    path: str,
    body: JsonValue = None,
    query: Mapping[str, JsonValue] | None = None,
    *,
    user_id: int | None = None,
) -> str:
    """Return the line that makes a call, with the API key in the variable ``KEY``.

    Args:
        origin: the scheme, host and port of the workbench.
        method: ``GET`` and so on.
        path: the path of the route.
        body: the JSON body; None for none.
        query: the query parameters; None values are left out.
        user_id: the user as whom an administrator reads; None for own rows.
    """
    sent = {name: value for name, value in (query or {}).items() if value is not None}
    url = origin + path + (f"?{urlencode(sent, doseq=True)}" if sent else "")
    parts = ["curl"]
    if method != "GET":
        parts += ["-X", method]
    parts += ["-H", '"X-API-Key: $KEY"']
    if user_id is not None and method == "GET":
        parts += ["-H", f"'X-User-ID: {user_id}'"]
    if body is not None:
        parts += ["-H", "'Content-Type: application/json'"]
        parts += ["-d", shlex.quote(orjson.dumps(body).decode())]
    return " ".join([*parts, shlex.quote(url)])
