"""Types of the fields of a timing: durations, intervals and instants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationError

from biont.exceptions import describe_validation_error
from biont.http import Instant
from biont.scheduling import LONGEST_INTERVAL, CalendarInterval

EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
"""The first instant that `datetime` can represent in every time zone."""

EVERY_WORDS = (
    "Seconds between two occurrences, or `15m`, `2h`; or an interval of days, weeks, months or "
    "years: `{weeks: 2, at: '09:00'}`."
)

_DURATION = re.compile(r"(\d{1,9})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _parse_duration(value: object) -> object:
    """Return a duration like ``5m`` in seconds; return other values unchanged."""
    if not isinstance(value, str):
        if isinstance(value, bool):
            raise ValueError("must be a number of seconds, or a number with a unit: 90s, 5m")  # noqa: TRY004  # pydantic reports only a ValueError
        return value
    found = _DURATION.fullmatch(value)
    if found is None:
        raise ValueError("must be a number of seconds, or a number with a unit: 90s, 5m, 2h, 1d")
    return int(found[1]) * _SECONDS[found[2]]


_DurationText = Annotated[str, Field(pattern="^[0-9]{1,9}(s|m|h|d)$", examples=["5m"])]

Duration = Annotated[
    # The limits first: behind the validator, pydantic would not know them as limits of an integer.
    Annotated[int, Field(ge=0, le=LONGEST_INTERVAL)],
    BeforeValidator(
        _parse_duration,
        json_schema_input_type=(
            Annotated[int, Field(ge=0, le=LONGEST_INTERVAL, examples=[300])] | _DurationText
        ),
    ),
]
"""A number of seconds, or a number with a unit: ``5m``."""


def _parse_every(value: object) -> object:
    """Return seconds or a calendar interval.

    One validator and not a union, so that an error has the place of the field.
    """
    if value is None or isinstance(value, CalendarInterval):
        return value
    if isinstance(value, Mapping):
        try:
            return CalendarInterval.model_validate(value)
        except ValidationError as error:
            raise ValueError(describe_validation_error(error, root="every")) from error
    seconds = _parse_duration(value)
    if not isinstance(seconds, int) or not 1 <= seconds <= LONGEST_INTERVAL:
        raise ValueError(
            f"must be a number of seconds from 1 to {LONGEST_INTERVAL}, a number with a unit, "
            "15m or 2h, or an interval: {weeks: 2, at: '09:00'}"
        )
    return seconds


def _keep(value: object) -> object:
    return value


_EVERY_INPUT = (
    Annotated[int, Field(ge=1, le=LONGEST_INTERVAL)] | _DurationText | CalendarInterval | None
)

Every = Annotated[
    int | CalendarInterval | None,
    PlainValidator(_parse_every, json_schema_input_type=_EVERY_INPUT),
]
"""Seconds between two occurrences, or a number with a unit, or a calendar interval."""

ChangedEvery = Annotated[
    int | CalendarInterval | None, PlainValidator(_keep, json_schema_input_type=_EVERY_INPUT)
]
"""An `Every` in a merge patch, judged after the merge."""


def _check_year(at: datetime) -> datetime:
    if not 2 <= at.year < 9900:  # the years of `CronExpression`
        raise ValueError("must lie in the years 2 to 9899")
    return at


DueInstant = Annotated[Instant, AfterValidator(_check_year)]
"""An instant that `datetime` can represent in every time zone."""
