"""The wall-clock times that the fields of a cron expression name."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import product

Fields = Sequence[Sequence[int | str]]
"""Minute, hour, day, month, weekday and perhaps second, each as its values, or as a ``*``."""

_LAST_YEAR = 9999


def list_wall_times(fields: Fields, after: datetime, years: range) -> Iterator[datetime]:
    """Yield what croniter would, where no day depends on others: many times as fast.

    Args:
        fields: as croniter has expanded them, the second last.
        after: a wall-clock time; only what comes later is yielded.
        years: behind their end there is one wall-clock time more.
    """
    minutes, hours, seconds = fields[0], fields[1], fields[5] if len(fields) > 5 else [0]
    times = [_expand(hours, 24), _expand(minutes, 60), _expand(seconds, 60)]
    first = after.date()
    for day in _list_days(fields, first):
        hour_list = times[0] if day != first else [h for h in times[0] if h >= after.hour]
        for hour, minute, second in product(hour_list, times[1], times[2]):
            # Wall-clock time has no zone.
            wall_time = datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001
            if wall_time > after:
                yield wall_time
                if wall_time.year not in years:
                    return


def _list_days(fields: Fields, first: date) -> Iterator[date]:
    """Yield the days that match, from `first` on."""
    _, _, days, months, weekdays, *_ = fields
    any_day, any_weekday = "*" in days, "*" in weekdays
    month_set = frozenset(_expand(months, 13))
    for number in range(first.year * 12 + first.month - 1, _LAST_YEAR * 12):
        year, month = number // 12, number % 12 + 1
        if month not in month_set:
            continue
        start, length = monthrange(year, month)
        earliest = first.day if year == first.year and month == first.month else 1
        for day in range(earliest, length + 1):
            # Monday is 0 to the calendar and 1 to cron.
            on_weekday = any_weekday or (start + day) % 7 in weekdays
            on_day = any_day or day in days
            # Where both are given, either will do.
            both = any_day or any_weekday
            if (on_day and on_weekday) if both else (on_day or on_weekday):
                yield date(year, month, day)


def _expand(field: Sequence[int | str], count: int) -> Sequence[int]:
    return range(count) if "*" in field else [int(value) for value in field]
