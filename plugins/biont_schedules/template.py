"""Prompts with places that are filled in when they are due."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

_PLACE = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

BUILT_IN = frozenset({"date", "time", "weekday", "time_zone", "schedule", "last_note"})
"""What every template may name; variables are called otherwise."""

LAST_NOTE_LIMIT = 4000
"""How many characters of the last note a prompt gets."""


def list_places(template: str) -> set[str]:
    """Return the names that a template wants filled in: of ``{{ date }}`` it is ``date``."""
    return set(_PLACE.findall(template))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return a template with its places filled in, each from `values`.

    What is filled in is not looked at again: a note that says ``{{ date }}`` stays so.
    """
    return _PLACE.sub(lambda place: values[place[1]], template)


def describe_instant(instant: datetime, time_zone: str) -> dict[str, str]:
    """Return what a template may say about the instant that was due, in its zone."""
    local = instant.astimezone(ZoneInfo(time_zone))
    return {
        "date": local.date().isoformat(),
        "time": local.strftime("%H:%M"),
        "weekday": _WEEKDAYS[local.weekday()],
        "time_zone": time_zone,
    }
