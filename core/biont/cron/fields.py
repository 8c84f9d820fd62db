"""Fields of a cron expression, as lists of numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from biont.cron.last_days import LastDays

Values = Sequence[int] | None
"""The values of a field in order; None when the field has all values."""


@dataclass(frozen=True, slots=True)
class CronFields:
    """Values of each field.

    Attributes:
        seconds: the seconds of a minute.
        minutes: the minutes of an hour.
        hours: the hours of a day.
        days: the days of a month.
        months: the months of a year.
        weekdays: the days of a week; 0 is Sunday.
        last_day: whether `days` also contains the last day of the month (``L``).
        nearest_weekday: whether `days` means the weekday nearest to the day (``15W``).
        weekdays_of_month: weekdays of which only some in a month count, with the positions from 1
            on, or ``l`` for the last (``2#2``, ``L5``).
        last_days: days that `days` also contains, counted from the end of the month (``LW``).
    """

    seconds: Values
    minutes: Values
    hours: Values
    days: Values
    months: Values
    weekdays: Values
    last_day: bool
    nearest_weekday: bool
    weekdays_of_month: Mapping[int, Collection[int | str]]
    last_days: LastDays | None = None

    @property
    def depends_on_month(self) -> bool:
        """True if a matching day depends on the length or the weekdays of the month."""
        return self.last_day or self.nearest_weekday or bool(self.weekdays_of_month)
