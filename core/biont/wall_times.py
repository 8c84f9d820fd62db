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
    for year, month in product(range(first.year, _LAST_YEAR), range(1, 13)):
        if month not in month_set or (year, month) < (first.year, first.month):
            continue
        start, length = monthrange(year, month)
        for day in range(1, length + 1):
            # Monday is 0 to the calendar and 1 to cron.
            on_weekday = (start + day) % 7 in weekdays
            if any_day or any_weekday:
                matches = (any_day or day in days) and (any_weekday or on_weekday)
            else:
                matches = day in days or on_weekday
            if matches and (found := date(year, month, day)) >= first:
                yield found


def _expand(field: Sequence[int | str], count: int) -> Sequence[int]:
    return range(count) if "*" in field else [int(value) for value in field]
