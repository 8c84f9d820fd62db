"""Command palette: pages, and the objects of a user by name, text or id."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from biont_dashboard.navigation import list_links
from biont_dashboard.visit import Object, Visit

_MOST = 20
_EACH = 100
_EVENT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


class Hit(NamedTuple):
    """Result of the palette.

    Attributes:
        title: the name of the page or object.
        kind: the kind in words.
        href: the path.
    """

    title: str
    kind: str
    href: str


class _Source(NamedTuple):
    """List of the API, and how its rows are named."""

    plugin: str | None
    kind: str
    path: str
    query: Mapping[str, str]
    name: Callable[[Object], str]
    href: str


# The list, as a search where the API has one: `{q}` is the text.
_SOURCES: Sequence[_Source] = (
    _Source(
        "notes",
        "note",
        "/api/v1/notes/search",
        {"q": "{q}"},
        lambda row: str(row.get("title")),
        "/dashboard/notes/{note_id}",
    ),
    _Source(
        "schedules",
        "schedule",
        "/api/v1/schedule",
        {},
        lambda row: str(row.get("name")),
        "/dashboard/schedules/{id}",
    ),
    _Source(
        "webhooks",
        "webhook",
        "/api/v1/webhooks/outgoing",
        {},
        lambda row: f"{row.get('name') or ''} {row.get('url')}".strip(),
        "/dashboard/webhooks/{id}",
    ),
    _Source(
        "inbound",
        "inbound webhook",
        "/api/v1/webhooks/incoming",
        {},
        lambda row: str(row.get("name")),
        "/dashboard/inbound/{id}",
    ),
    _Source(
        "missions",
        "mission",
        "/api/v1/missions",
        {},
        lambda row: str(row.get("goal")),
        "/dashboard/missions/{id}",
    ),
    _Source(
        "chat",
        "conversation",
        "/api/v1/conversations",
        {},
        lambda row: str(row.get("title") or "Conversation"),
        "/dashboard/chat/{id}",
    ),
)


async def search(visit: Visit, text: str) -> Sequence[Hit]:
    """Return the pages and objects that match a text; the pages for an empty text.

    Lists without a search of their own are searched in their newest rows only.
    """
    wanted = text.strip().lower()
    hits = [
        Hit(title, "page", href) for _, title, href in list_links(visit) if wanted in title.lower()
    ]
    if not wanted:
        return hits
    if _EVENT_ID.fullmatch(wanted) and visit.has_plugin("audit"):
        hits.append(Hit(wanted, "event", f"/dashboard/events/{wanted}"))
    searches: list[Awaitable[Sequence[Hit]]] = [
        _search_rows(visit, source, wanted)
        for source in _SOURCES
        if source.plugin is None or visit.has_plugin(source.plugin)
    ]
    for found in await asyncio.gather(*searches):
        hits += found
    return hits[:_MOST]


async def _search_rows(visit: Visit, source: _Source, wanted: str) -> Sequence[Hit]:
    query = {name: value.format(q=wanted) for name, value in source.query.items()}
    rows = await visit.read_rows(source.path, limit=_EACH, **query)
    return [
        Hit(source.name(row), source.kind, source.href.format_map(row))
        for row in rows
        if query or wanted in source.name(row).lower() or wanted == str(row["id"])
    ]
