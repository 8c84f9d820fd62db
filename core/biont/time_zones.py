"""Time zones, as people name them."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from biont.exceptions import UnknownTimeZone

_MAX_LENGTH = 200


def parse_time_zone(name: str) -> ZoneInfo:
    """Return the time zone of that name in the IANA time zone database.

    Raises:
        UnknownTimeZone: the database has no such name.
    """
    if name in _time_zone_names():
        return ZoneInfo(name)
    shown = name[:_MAX_LENGTH]
    names = {known.lower(): known for known in _time_zone_names()}
    close = get_close_matches(shown.lower(), names, n=1)
    hint = f"did you mean {names[close[0]]!r}?" if close else "an example is 'Europe/Berlin'"
    raise UnknownTimeZone(f"{shown!r} is not a time zone of the IANA database; {hint}")


@cache
def _time_zone_names() -> frozenset[str]:
    listing = resources.files("tzdata").joinpath("zones")
    return frozenset(listing.read_text(encoding="utf-8").split())


def _check_time_zone(name: str) -> str:
    try:
        return parse_time_zone(name).key
    except UnknownTimeZone as error:
        raise ValueError(str(error)) from error


TimeZone = Annotated[
    str,
    AfterValidator(_check_time_zone),
    Field(description="An IANA name: `Europe/Berlin`."),
]
"""The name of a zone that is in the IANA time zone database."""
