"""Iteration over the wall-clock times that match the fields of a cron expression."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import product

from biont.cron.fields import CronFields, Values

_LAST_YEAR = 9999


def list_wall_times(fields: CronFields, after: datetime, years: range) -> Iterator[datetime]:
    """Yield the matching wall-clock times after `after`, in order.

    Args:
        fields: the fields of an expression whose days do not depend on the month.
        after: a wall-clock time.
        years: the iteration ends after the first time that is in none of these years.
    """
    hours, minutes = _expand(fields.hours, 24), _expand(fields.minutes, 60)
    seconds = _expand(fields.seconds, 60)
    first = after.date()
    for day in _list_days(fields, first):
        left = hours if day != first else [hour for hour in hours if hour >= after.hour]
        for hour, minute, second in product(left, minutes, seconds):
            wall_time = datetime.combine(day, time(hour, minute, second))
            if wall_time > after:
                yield wall_time
                if wall_time.year not in years:
                    return


def _list_days(fields: CronFields, first: date) -> Iterator[date]:
    """Yield the matching days from `first` on."""
    days = None if fields.days is None else frozenset(fields.days)
    weekdays = None if fields.weekdays is None else frozenset(fields.weekdays)
    months = frozenset(_expand(fields.months, 13))
    last_days = fields.last_days
    for number in range(first.year * 12 + first.month - 1, _LAST_YEAR * 12):
        year, month = number // 12, number % 12 + 1
        if month not in months:
            continue
        start, length = monthrange(year, month)
        if last_days is not None and fields.days is not None:
            days = frozenset({*(fields.days or ()), *last_days.list_days(year, month)})
        earliest = first.day if year == first.year and month == first.month else 1
        for day in range(earliest, length + 1):
            # Monday is 0 in `calendar` and 1 in cron.
            weekday = (start + day) % 7
            # Cron's rule: where both fields restrict the days, either is enough.
            if days is not None and weekdays is not None:
                matches = day in days or weekday in weekdays
            else:
                matches = (days is None or day in days) and (
                    weekdays is None or weekday in weekdays
                )
            if matches:
                yield date(year, month, day)


def _expand(values: Values, count: int) -> Sequence[int]:
    return range(count) if values is None else values
