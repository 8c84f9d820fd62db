"""Routes of the pages of the workbench itself: plugins and system."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from aiohttp import web

from biont import Request
from biont_dashboard.dialect import make_api
from biont_dashboard.page import need_admin, open_page
from biont_dashboard.visit import Object, list_objects, list_rows

api = make_api()

_LINES = 200
_POINTS = 90
# Only what somebody should read has a colour.
_TONES: Mapping[str, str] = MappingProxyType(
    {"debug": "off", "info": "off", "warning": "warn", "error": "fail", "critical": "fail"}
)


@api.get("/dashboard/plugins")
async def show_plugins(request: Request) -> web.Response:
    """Show the plugins; administrators see all that each has registered."""
    page = await open_page(request)
    details, health = await asyncio.gather(
        page.read_or_none("/api/v1/plugins"), page.read("/api/v1/health")
    )
    return await page.render(
        "workbench/plugins.html",
        panels_of="plugins",
        details=None if details is None else list_rows(details),
        health=health,
    )


@api.get("/dashboard/system")
async def show_system(request: Request) -> web.Response:
    """Show the health, and for administrators the process, the database and the settings."""
    page = await open_page(request)
    system, backups, growth, operations, health, me = await asyncio.gather(
        page.read_or_none("/api/v1/system"),
        page.read_or_none("/api/v1/system/backups"),
        page.read_or_none("/api/v1/system/growth"),
        page.read_rows("/api/v1/operations", limit=10),
        page.read("/api/v1/health"),
        page.read("/api/v1/me"),
    )
    return await page.render(
        "workbench/system.html",
        panels_of="system",
        system=system,
        backups=backups,
        growth=growth,
        sizes=[] if growth is None else _thin(list_objects(growth, "sizes")),
        operations=operations,
        health=health,
        me=me,
    )


@api.get("/dashboard/system/log")
async def show_log(request: Request) -> web.Response:
    """Show the last lines of the log."""
    page = await open_page(request)
    need_admin(page)
    level = request.http.query.get("level", "")
    level = level if level in _TONES else "info"
    return await page.render(
        "workbench/log.html",
        lines=await page.read_rows("/api/v1/system/log", level=level, limit=_LINES),
        level=level,
        levels=[*_TONES],
        tones=_TONES,
    )


def _thin(sizes: Sequence[Object]) -> Sequence[Object]:
    """Return so many of the sizes that a line shows them, and always the newest."""
    step = -(-len(sizes) // _POINTS) or 1
    return sizes[::-1][::step][::-1]
