"""Templates: prompts with placeholders that are filled in when a run starts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

_PLACEHOLDER = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

BUILT_IN = frozenset({"date", "time", "weekday", "time_zone", "schedule", "last_note"})
"""Placeholders of every template; variables need other names."""

LAST_NOTE_LIMIT = 4000
"""The largest number of characters of the last note in a prompt."""


def list_placeholders(template: str) -> set[str]:
    """Return the names of the placeholders: ``date`` for ``{{ date }}``."""
    return set(_PLACEHOLDER.findall(template))


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """Return a template with the placeholders replaced by `values`.

    Inserted text is not filled in again: a last note with ``{{ date }}`` stays as written.
    """
    return _PLACEHOLDER.sub(lambda placeholder: values[placeholder[1]], template)


def describe_instant(instant: datetime, time_zone: str) -> dict[str, str]:
    """Return the placeholders about the occurrence, in the schedule's zone."""
    local = instant.astimezone(ZoneInfo(time_zone))
    return {
        "date": local.date().isoformat(),
        "time": local.strftime("%H:%M"),
        "weekday": _WEEKDAYS[local.weekday()],
        "time_zone": time_zone,
    }
