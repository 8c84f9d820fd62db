"""Rendering: templates of the pages, and their filters.

All values are escaped by jinja2. Only Markdown becomes markup, without any HTML of its author.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain, repeat
from math import floor, log10
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup, escape
from pydantic import JsonValue

_UNITS = ((86_400 * 365, "y"), (86_400 * 30, "mo"), (86_400, "d"), (3600, "h"), (60, "min"))
_SIZES = ("bytes", "KB", "MB", "GB", "TB")


class Renderer:
    """Templates of the dashboard."""

    def __init__(self) -> None:
        # No raw HTML: "js-default" would permit tags of the author.
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("biont_dashboard"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._compile = lru_cache(maxsize=256)(self._environment.from_string)
        # Ids of elements, and idempotency keys of forms.
        self._environment.globals["new_id"] = lambda: secrets.token_hex(16)
        self._environment.filters |= {
            "ago": describe_distance,
            "instant": parse_instant,
            "seconds": describe_seconds,
            "pretty": write_json,
            "number": describe_number,
            "cost": describe_cost,
            "bytes": describe_bytes,
            "clip": clip,
            "capitalize_first": lambda text: text[:1].upper() + text[1:],
            "markdown": self.render_markdown,
            "query": write_query,
            "label_cells": label_cells,
            "local": write_local,
        }

    def render(self, template: str, values: Mapping[str, object]) -> str:
        """Return the HTML of a template file."""
        return self._environment.get_template(template).render(values)

    def render_text(self, template: str, values: Mapping[str, object]) -> str:
        """Return the HTML of a template in a text, which can use the macros as ``ui``."""
        head = "{% import 'components.html' as ui with context %}"
        return self._compile(head + template).render(values)

    def render_markdown(self, text: str) -> Markup:
        """Return Markdown as HTML; tags and dangerous links in the text stay text."""
        return Markup(self._markdown.render(text))  # noqa: S704  # made without raw HTML


@lru_cache(maxsize=1)
def load_renderer() -> Renderer:
    """Return the templates of the pages; cached, as files are."""
    return Renderer()


def parse_instant(text: str | datetime) -> datetime:
    """Return the instant in a text of the API."""
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)


@jinja2.pass_context
def describe_distance(context: jinja2.runtime.Context, instant: str | datetime | None) -> str:
    """Return the time between an instant and now: ``3 min ago``, ``in 2 h``."""
    if instant is None:
        return "never"
    seconds = (parse_instant(instant) - context["now"]).total_seconds()
    size = abs(seconds)
    if size < 1:
        return "now"
    text = next(
        (f"{size / unit:.0f} {name}" for unit, name in _UNITS if size >= unit), f"{size:.0f} s"
    )
    return f"in {text}" if seconds > 0 else f"{text} ago"


def write_local(instant: str | datetime, zone: str) -> str:
    """Return an instant by the clock of a time zone: ``Mon 2 Mar 2026, 09:00``."""
    try:
        local = parse_instant(instant).astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        local = parse_instant(instant)
    seconds = f":{local:%S}" if local.second else ""
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}{seconds}"


def describe_seconds(value: float | None) -> str:
    """Return a duration in a readable unit."""
    if value is None:
        return "-"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, seconds = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def write_json(value: JsonValue) -> str:
    """Return JSON on several lines."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def describe_number(value: float | None) -> str:
    """Return a number with groups of digits."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def describe_cost(value: float | None) -> str:
    """Return a sum of money; two digits also of a sum far below 1."""
    if value is None:
        return "-"
    digits = 2 if value >= 1 or value <= 0 else 1 - floor(log10(value))
    return f"{value:,.{digits}f}"


def describe_bytes(value: float) -> str:
    """Return a number of bytes in a readable unit."""
    size, index = float(value), 0
    while size >= 1000 and index < len(_SIZES) - 1:
        size, index = size / 1000, index + 1
    return f"{size:.0f} bytes" if index == 0 else f"{size:.1f} {_SIZES[index]}"


def clip(text: str, length: int) -> str:
    """Return a text of at most `length` characters."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def label_cells(rows: Markup, columns: Sequence[str | tuple[str, str]]) -> Markup:
    """Return the rows of a table, in which each cell names its column and the column's kind.

    A phone shows the cells of a row below one another, each with its name.
    """
    pairs = [(each, "") if isinstance(each, str) else each for each in columns]
    marks = [
        f'<td data-label="{escape(title)}"' + (f' data-kind="{kind}"' if kind else "")
        for title, kind in pairs
    ]
    parts = str(rows).split("<tr")
    # The texts of cells are escaped, so that each tag here is one of the template.
    for number, row in enumerate(parts):
        first, *cells = row.split("<td")
        marked = zip(chain(marks, repeat("<td")), cells, strict=False)
        parts[number] = first + "".join(mark + cell for mark, cell in marked)
    return Markup("<tr".join(parts))  # noqa: S704  # markup that was escaped before


def write_query(values: Mapping[str, object]) -> str:
    """Return a query string without the empty values."""
    kept = {name: value for name, value in values.items() if value not in (None, "", [])}
    return urlencode(kept, doseq=True)
