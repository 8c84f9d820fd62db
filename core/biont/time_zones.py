"""Time zones by their IANA names."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from biont.exceptions import UnknownTimeZone

_MAX_LENGTH = 200
"""The number of characters of an unknown name that an error repeats."""


def parse_time_zone(name: str) -> ZoneInfo:
    """Return the time zone of this name in the IANA time zone database.

    Raises:
        UnknownTimeZone: the database has no zone of this name.
    """
    if name in _time_zone_names():
        return ZoneInfo(name)
    repeated = name[:_MAX_LENGTH]
    names = {known.lower(): known for known in _time_zone_names()}
    close = get_close_matches(repeated.lower(), names, n=1)
    hint = f"did you mean {names[close[0]]!r}?" if close else "an example is 'Europe/Berlin'"
    raise UnknownTimeZone(f"{repeated!r} is not a time zone of the IANA database; {hint}")


@cache
def _time_zone_names() -> frozenset[str]:
    # From the package and not from the machine: a name is valid everywhere or nowhere, and
    # names such as "localtime" or "../Berlin" never reach the file system.
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
    Field(description="IANA name: `Europe/Berlin`."),
]
"""Name of a zone in the IANA time zone database."""
