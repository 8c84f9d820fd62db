"""Time zones, as people name them in requests and settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from biont.cron import parse_time_zone
from biont.exceptions import UnknownTimeZone


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
