"""Calendar interval: every few days, weeks, months or years, at a wall time of a zone.

Intervals are counted from a day, the anchor: a week from the Monday of the anchor's week, a month
from the anchor's month, a year from the anchor's year. A month without the chosen day has no
occurrence, as in cron and in iCalendar (RFC 5545); ``last`` is a day that each month has. Around
clock changes the rules of cron expressions hold: a skipped time is due at the end of the gap, and
a time that is shown twice is due the first time.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from biont.cron.wall_clock import find_instant, find_wall_time
from biont.exceptions import InvalidExpression, describe_validation_error
from biont.schema import Schema

_UNITS = {"days": "day", "weeks": "week", "months": "month", "years": "year"}
_LAST_YEAR = 9899
_DAYS = timedelta(days=1)


class Weekday(StrEnum):
    """Day of a week."""

    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"


_WEEKDAYS = tuple(Weekday)
_WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def _is_empty(value: object) -> bool:
    return value is None


class CalendarInterval(Schema):
    """Interval in days, weeks, months or years, at a time of the day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: Annotated[int, Field(strict=True, ge=1, le=3660)] | None = Field(
        None, exclude_if=_is_empty, description="Every n days."
    )
    weeks: Annotated[int, Field(strict=True, ge=1, le=520)] | None = Field(
        None,
        exclude_if=_is_empty,
        description="Every n weeks, counted from the Monday of the first week.",
    )
    months: Annotated[int, Field(strict=True, ge=1, le=120)] | None = Field(
        None, exclude_if=_is_empty, description="Every n months."
    )
    years: Annotated[int, Field(strict=True, ge=1, le=10)] | None = Field(
        None, exclude_if=_is_empty, description="Every n years."
    )
    at: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")] | None = (
        Field(
            None,
            exclude_if=_is_empty,
            description="Time of the day in the zone, `09:00`; by default that of `starts_at`.",
        )
    )
    weekdays: Annotated[list[Weekday], Field(min_length=1, max_length=7)] | None = Field(
        None,
        exclude_if=_is_empty,
        description="Days of each week, for `weeks`; by default that of `starts_at`.",
    )
    day: Annotated[int, Field(strict=True, ge=1, le=31)] | Literal["last"] | None = Field(
        None,
        exclude_if=_is_empty,
        description="Day of the month, for `months` and `years`; by default that of `starts_at`. "
        "A month without this day has no occurrence; each month has the day `last`.",
    )
    month: Annotated[int, Field(strict=True, ge=1, le=12)] | None = Field(
        None,
        exclude_if=_is_empty,
        description="Month, for `years`; by default that of `starts_at`.",
    )

    @model_validator(mode="after")
    def _check_fields(self) -> Self:
        units = [name for name in _UNITS if getattr(self, name) is not None]
        if len(units) != 1:
            raise ValueError("give one of days, weeks, months and years")
        unit = units[0]
        allowed = {"weekdays": ("weeks",), "day": ("months", "years"), "month": ("years",)}
        for name, whose in allowed.items():
            if getattr(self, name) is not None and unit not in whose:
                raise ValueError(f"{name} goes with {' or '.join(whose)}, not with {unit}")
        return self

    @classmethod
    def parse(cls, text: str) -> CalendarInterval:
        """Return the interval of a JSON text.

        Raises:
            InvalidExpression: the text is no valid interval.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise InvalidExpression(describe_validation_error(error, root="every")) from error

    @property
    def unit(self) -> str:
        """The name of the unit, as a field."""
        return next(name for name in _UNITS if getattr(self, name) is not None)

    @property
    def count(self) -> int:
        """The number of units between two occurrences."""
        count: int = getattr(self, self.unit)
        return count

    def describe(self, anchor: datetime, zone: ZoneInfo) -> str:
        """Return the interval in words: ``Every 2 weeks on Monday at 09:00``."""
        local = find_wall_time(anchor, zone)
        unit, count = _UNITS[self.unit], self.count
        words = f"Every {unit}" if count == 1 else f"Every {count} {unit}s"
        at = self._find_time(local)
        return f"{words}{self._describe_days(local)} at {at.isoformat().removesuffix(':00')}"

    def instants_and_wall_times(
        self, start: datetime, anchor: datetime, zone: ZoneInfo
    ) -> Iterator[tuple[datetime, datetime]]:
        """Yield the occurrences strictly after `start`, each with the matching wall time.

        Args:
            start: an instant, in UTC.
            anchor: the instant from which the intervals are counted; nothing is due before.
            zone: the zone of the wall times.
        """
        local = find_wall_time(anchor, zone)
        at = self._find_time(local)
        # A day earlier, because a wall time in a gap is due later than on its clock.
        earliest = find_wall_time(max(start, anchor), zone).date() - _DAYS
        for day in self._list_days(local.date(), earliest):
            if day.year > _LAST_YEAR:
                return
            wall_time = datetime.combine(day, at)
            instant = find_instant(wall_time, zone)
            if instant > start and instant >= anchor:
                yield instant, wall_time

    def _find_time(self, local: datetime) -> time:
        return (
            local.time().replace(microsecond=0) if self.at is None else time.fromisoformat(self.at)
        )

    def _list_days(self, anchor: date, earliest: date) -> Iterator[date]:
        """Yield the days of the interval, from `earliest` on or somewhat before."""
        if self.days is not None:
            return _step_days(anchor, earliest, self.days, [0])
        if self.weeks is not None:
            monday = anchor - anchor.weekday() * _DAYS
            return _step_days(monday, earliest, 7 * self.weeks, self._number_weekdays(anchor))
        return self._step_months(anchor, earliest)

    def _number_weekdays(self, anchor: date) -> list[int]:
        chosen = self.weekdays or [_WEEKDAYS[anchor.weekday()]]
        return sorted({_WEEKDAYS.index(weekday) for weekday in chosen})

    def _step_months(self, anchor: date, earliest: date) -> Iterator[date]:
        month = anchor.month if self.month is None else self.month
        step = self.count if self.years is None else 12 * self.count
        first = anchor.year * 12 + month - 1
        skipped = max(0, earliest.year * 12 + earliest.month - 1 - first) // step
        for number in range(first + skipped * step, (_LAST_YEAR + 1) * 12, step):
            length = monthrange(number // 12, number % 12 + 1)[1]
            day = self._find_day(anchor, length)
            if day <= length:
                yield date(number // 12, number % 12 + 1, day)

    def _find_day(self, anchor: date, length: int) -> int:
        if self.day is None:
            return anchor.day
        return length if self.day == "last" else self.day

    def _describe_days(self, local: datetime) -> str:
        if self.days is not None:
            return ""
        if self.weeks is not None:
            names = [_WEEKDAY_NAMES[number] for number in self._number_weekdays(local.date())]
            return f" on {' and '.join(filter(None, (', '.join(names[:-1]), names[-1])))}"
        day = self.day or local.day
        of_month = "the last day" if day == "last" else f"day {day}"
        if self.years is None:
            return f" on {of_month} of the month"
        return f" on {of_month} of {_MONTH_NAMES[(self.month or local.month) - 1]}"


def _step_days(first: date, earliest: date, step: int, offsets: list[int]) -> Iterator[date]:
    """Yield `offsets` after every `step` days from `first` on."""
    skipped = max(0, (earliest - first).days) // step
    begin = first + skipped * step * _DAYS
    last = date(_LAST_YEAR, 12, 1)
    while begin < last:
        for offset in offsets:
            yield begin + offset * _DAYS
        begin += step * _DAYS
