"""Route of the assets: the style sheet and the scripts that the pages load."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Annotated

from aiohttp import web
from pydantic import Field

from biont import Request
from biont.exceptions import NotFound
from biont_dashboard.dialect import make_api

api = make_api()

_TYPES: Mapping[str, str] = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@api.get("/dashboard/assets/{name}", public=True)
async def read_asset(
    request: Request, name: Annotated[str, Field(max_length=100)]
) -> web.Response:
    """Return a file that the pages load."""
    content, digest = _load_assets().get(name, (b"", ""))
    if not digest:
        raise NotFound("there is no such file")
    headers = {"ETag": f'"{digest}"', "Cache-Control": "no-cache"}
    if request.http.headers.get("If-None-Match", "").startswith(f'"{digest}'):
        return web.Response(status=304, headers=headers)
    kind = _TYPES[name.rpartition(".")[2]]
    return web.Response(body=content, content_type=kind, charset="utf-8", headers=headers)


@lru_cache(maxsize=1)
def _load_assets() -> Mapping[str, tuple[bytes, str]]:
    """Return the content and the digest of each file; cached, as files are."""
    found = {}
    for file in files("biont_dashboard").joinpath("assets").iterdir():
        content = file.read_bytes()
        found[file.name] = (content, hashlib.sha256(content).hexdigest()[:16])
    return found
