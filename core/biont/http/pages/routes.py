"""Routes of the pages: ``/docs`` and ``/llms.txt``.

The pages need no key, because a browser sends none, and show only what the public documents show.
``server.docs: false`` switches them off.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import orjson
from aiohttp import web
from pydantic import Field

from biont.exceptions import NotFound
from biont.http.api import Api
from biont.http.pages.events_page import write_events_page
from biont.http.pages.guides import list_links, load_guides
from biont.http.request import Request
from biont.http.system import SYSTEM

Name = Annotated[str, Field(max_length=100)]

api = Api("docs", root="")

_HEADERS: Mapping[str, str] = {
    # Swagger UI has images in the style sheet, and styles in the markup that it writes.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_LLMS = """\
# Biont Workbench

> A self-hosted workbench that connects an AI to other systems: notes, schedules, events, webhooks,
> missions and chat, by a REST API and by plugins.

- [OpenAPI document](/api/v1/openapi.json): every operation of the REST API
- [AsyncAPI document](/api/v1/asyncapi.json): every event that webhooks receive

"""
_OWN = frozenset({"api.js", "pages.css"})
_SWAGGER = frozenset({"swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"})


@api.get("/docs", public=True, described=False)
async def show_api(request: Request) -> web.Response:
    """Show the API in Swagger UI."""
    _check_switch(request)
    page = files("biont.http.pages").joinpath("assets", "api.html").read_text(encoding="utf-8")
    return _respond(page, "text/html")


@api.get("/docs/events", public=True, described=False)
async def show_events(request: Request) -> web.Response:
    """Show the events that webhooks receive."""
    _check_switch(request)
    document = orjson.loads(request.workbench.get(SYSTEM).asyncapi)
    return _respond(write_events_page(document), "text/html")


@api.get("/docs/assets/{name}", public=True, described=False)
async def read_asset(request: Request, name: Name) -> web.FileResponse:
    """Return a file that the pages load."""
    _check_switch(request)
    if name not in _OWN | _SWAGGER:
        raise NotFound("there is no such file")
    folder = files("biont.http.pages").joinpath("assets")
    if name in _SWAGGER:
        # The only folder there, which has the version in its name.
        folder = next(iter(files("swagger_ui_bundle").joinpath("vendor").iterdir()))
    with as_file(folder.joinpath(name)) as path:
        return web.FileResponse(
            Path(path), headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
        )


@api.get("/llms.txt", public=True, described=False)
async def list_guides(request: Request) -> web.Response:
    """List the documentation for language models (llmstxt.org)."""
    _check_switch(request)
    return _respond(_LLMS + list_links(), "text/plain")


@api.get("/docs/{name}.md", public=True, described=False)
async def read_guide(request: Request, name: Name) -> web.Response:
    """Return a document of the documentation as Markdown."""
    return _read_guide(request, name)


@api.get("/docs/{section}/{name}.md", public=True, described=False)
async def read_guide_of_section(request: Request, section: Name, name: Name) -> web.Response:
    """Return a document of a section of the documentation as Markdown."""
    return _read_guide(request, f"{section}/{name}")


def _read_guide(request: Request, path: str) -> web.Response:
    _check_switch(request)
    # Among the known documents, so that no path leads elsewhere.
    guide = load_guides().get(path)
    if guide is None:
        raise NotFound("there is no such document; GET /llms.txt lists all documents")
    return _respond(guide.text, "text/markdown")


def _respond(text: str, media_type: str) -> web.Response:
    return web.Response(text=text, content_type=media_type, charset="utf-8", headers=_HEADERS)


def _check_switch(request: Request) -> None:
    if not request.workbench.settings.server.docs:
        raise NotFound("the pages are switched off by the setting server.docs")
