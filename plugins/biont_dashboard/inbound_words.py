"""Inbound webhooks in words: the action, the filter and the state; and the pages of results."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import orjson
from pydantic import JsonValue

from biont_dashboard.object_links import ObjectLink
from biont_dashboard.rendering import clip
from biont_dashboard.visit import Object

_VALUE_LENGTH = 200
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "eq": "is",
        "ne": "is not",
        "in": "is one of",
        "lt": "<",
        "lte": "≤",
        "gt": ">",
        "gte": "≥",
        "prefix": "begins with",
        "contains": "contains",
    }
)
_RESULTS: Mapping[str, str] = MappingProxyType(
    {"notes": "note", "missions": "mission", "events": "event"}
)


def describe_action(action: JsonValue) -> str:
    """Return the effect of an action in a few words."""
    members = action if isinstance(action, dict) else {}
    match members.get("kind"):
        case "event":
            return f"emits {members.get('event_type')}"
        case "prompt":
            return "asks a model, and keeps the answer as a note"
        case "mission":
            return "starts a mission"
        case _:
            return "keeps a note"


def describe_filter(found: JsonValue) -> str:
    """Return a filter as a phrase; "every request" for no filter."""
    return _describe_node(found) if isinstance(found, dict) and found else "every request"


def describe_state(webhook: Object) -> tuple[str, str]:
    """Return the state of an inbound webhook and the tone of the state."""
    if webhook["paused"]:
        return "paused", "off"
    return ("secret missing", "fail") if is_secret_missing(webhook) else ("active", "ok")


def is_secret_missing(webhook: Object) -> bool:
    """Return whether all requests are refused, because nobody has set the sender's secret."""
    return webhook["signature"] is not None and not webhook["has_secret"]


def find_result(path: JsonValue) -> ObjectLink | None:
    """Return the link to a result, which the API names by a path; None for no page."""
    area, _, number = str(path or "").removeprefix("/api/v1/").partition("/")
    if area not in _RESULTS or not number or "/" in number:
        return None
    title = _RESULTS[area] if area == "events" else f"{_RESULTS[area]} {number}"
    return ObjectLink(title, f"/dashboard/{area}/{number}")


def _describe_node(node: JsonValue) -> str:
    if not isinstance(node, dict):
        return ""
    for word in ("and", "or"):
        parts = node.get(word)
        if isinstance(parts, list):
            return f" {word} ".join(_enclose(part) for part in parts)
    if "not" in node:
        return f"not ({_describe_node(node['not'])})"
    return _describe_clause(node)


def _enclose(part: JsonValue) -> str:
    is_group = isinstance(part, dict) and ("and" in part or "or" in part)
    return f"({_describe_node(part)})" if is_group else _describe_node(part)


def _describe_clause(clause: Object) -> str:
    path, op, value = clause.get("path"), str(clause.get("op")), clause.get("value")
    if op == "exists":
        return f"{path} is missing" if value is False else f"{path} is there"
    if isinstance(value, dict):
        return f"{op} of {path} has ({_describe_node(value)})"
    text = clip(orjson.dumps(value).decode(), _VALUE_LENGTH)
    if op in ("any", "all"):
        return f"{path} contains {op} of {text}"
    return f"{path} {_WORDS.get(op, op)} {text}"
