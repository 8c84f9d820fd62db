"""Templates: prompts with placeholders that are filled in when a run starts."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

# Two braces, with the name and the end of a placeholder if these follow.
_BRACES = re.compile(r"(?P<escape>\\)?\{\{(?P<placeholder>\s*(?P<name>[a-z][a-z0-9_]*)\s*\}\})?")
_SHOWN = 40
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

BUILT_IN = frozenset({"date", "time", "weekday", "time_zone", "schedule", "last_note"})
"""Placeholders of every template; variables need other names."""

LAST_NOTE_LIMIT = 4000
"""The largest number of characters of the last note in a prompt."""


def find_unknown_placeholder(template: str, known: Collection[str]) -> str | None:
    """Return the first two braces that begin no known placeholder, with some text after these.

    Args:
        template: the template.
        known: the names of the placeholders that have values.
    """
    for found in _BRACES.finditer(template):
        if found["escape"] is None and found["name"] not in known:
            text, end, _ = template[found.start() : found.start() + _SHOWN].partition("}}")
            return text + end
    return None


def find_placeholders(template: str) -> frozenset[str]:
    """Return the names of the placeholders of a template."""
    return frozenset(
        found["name"]
        for found in _BRACES.finditer(template)
        if found["escape"] is None and found["name"] is not None
    )


def fill_template(template: str, values: Mapping[str, str]) -> str:
    r"""Return a template with the placeholders replaced by `values`.

    Inserted text is not filled in again: a last note with ``{{ date }}`` stays as written. A
    backslash before two braces makes these literal: ``\{{``.
    """

    def fill(found: re.Match[str]) -> str:
        if found["escape"] is not None:
            return found[0][1:]
        # A template of an earlier version may hold braces that are no placeholder.
        return values.get(found["name"] or "", found[0])

    return _BRACES.sub(fill, template)


def describe_instant(instant: datetime, time_zone: str) -> dict[str, str]:
    """Return the placeholders about the occurrence, in the schedule's zone."""
    local = instant.astimezone(ZoneInfo(time_zone))
    return {
        "date": local.date().isoformat(),
        "time": local.strftime("%H:%M"),
        "weekday": _WEEKDAYS[local.weekday()],
        "time_zone": time_zone,
    }
