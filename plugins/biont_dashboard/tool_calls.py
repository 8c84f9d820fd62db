"""Tool calls as pages show them: what a call will do, and whose work it belongs to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import orjson
from pydantic import JsonValue

from biont_dashboard.visit import Object, Visit

_PAGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"conversation": ("Conversation", "/dashboard/chat"), "chat": ("A new conversation", "")}
)


class ShownCall(NamedTuple):
    """Tool call with readable arguments.

    Attributes:
        call: the tool call of the API.
        arguments: the arguments as names with values; None if they are no JSON object.
        source: the work of the model, in words.
        href: the page of that work; empty for none.
    """

    call: Object
    arguments: Mapping[str, JsonValue] | None
    source: str
    href: str


def show_arguments(call: Object) -> ShownCall:
    """Return a tool call as a page shows it."""
    kind, _, number = str(call["source"]).partition("-")
    title, path = _PAGES.get(kind, (kind.capitalize(), ""))
    return ShownCall(
        call,
        _read_object(str(call["arguments"])),
        f"{title} {number}".strip(),
        f"{path}/{number}" if path and number.isdecimal() else "",
    )


async def find_missions(visit: Visit, shown: Sequence[ShownCall]) -> Sequence[ShownCall]:
    """Return tool calls of which those of a mission's task lead to the mission."""
    return await asyncio.gather(*(_find_mission(visit, each) for each in shown))


async def _find_mission(visit: Visit, shown: ShownCall) -> ShownCall:
    kind, _, number = str(shown.call["source"]).partition("-")
    if kind != "task" or not number.isdecimal() or not visit.has_plugin("missions"):
        return shown
    task = await visit.read_or_none(f"/api/v1/tasks/{number}", fields="mission_id,title")
    if task is None or task["mission_id"] is None:
        return shown
    return shown._replace(
        source=f"Mission {task['mission_id']}, {task['title']}",
        href=f"/dashboard/missions/{task['mission_id']}",
    )


def _read_object(text: str) -> Mapping[str, JsonValue] | None:
    """Return the object in a text of JSON; None for anything else that a model has written."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
