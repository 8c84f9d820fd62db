"""Cron expressions in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_MOST_TIMES = 6
_LONG_RUN = 3

Values = Sequence[int] | None
"""What a field names, in order; None for all there are."""


@dataclass(frozen=True)
class CronFields:
    """What the fields of an expression name.

    Attributes:
        seconds: of the minute.
        minutes: of the hour.
        hours: of the day.
        days: of the month.
        months: of the year.
        weekdays: 0 is Sunday.
        last_day: whether the last day of the month is named, beside `days`.
        near_weekday: whether `days` mean the weekday nearest to them.
        of_month: weekdays of which only some in a month are meant: their numbers, or ``l``
            for the last.
    """

    seconds: Values
    minutes: Values
    hours: Values
    days: Values
    months: Values
    weekdays: Values
    last_day: bool
    near_weekday: bool
    of_month: Mapping[int, Collection[int | str]]


def describe_fields(fields: CronFields) -> str:
    """Return when an expression is due: ``At 09:00, Monday to Friday``."""
    moments = _tell_moments(fields.seconds, fields.minutes, fields.hours)
    days = _tell_days(fields)
    if moments is None:
        return _tell_times(fields) + days
    return moments + (days if days and not days.startswith(" in ") else f" every day{days}")


def describe_step(count: int, unit: str) -> str:
    """Return by how much something goes on: ``Every 15 minutes``, ``Every minute``."""
    return f"Every {unit}" if count == 1 else f"Every {count} {unit}s"


def _tell_moments(seconds: Values, minutes: Values, hours: Values) -> str | None:
    """Tell the times of a day, if there are but a few of them."""
    if seconds is None or minutes is None or hours is None:
        return None
    times = list(product(hours, minutes, seconds))
    if len(times) > _MOST_TIMES:
        return None
    return f"At {_join([_show_time(*time) for time in times])}"


def _tell_times(fields: CronFields) -> str:
    seconds, minutes, hours = fields.seconds, fields.minutes, fields.hours
    whole_minutes = _tell_moments([0], minutes, hours) or _tell_minutes(minutes, hours)
    if seconds == [0]:
        return whole_minutes
    if minutes is None and hours is None:
        return _tell_part(seconds, "second", "every minute")
    of_minute = _tell_part(seconds, "second", "the minute")
    return f"{of_minute}, of these minutes: {whole_minutes[0].lower()}{whole_minutes[1:]}"


def _tell_minutes(minutes: Values, hours: Values) -> str:
    if hours is None:
        return "Every hour" if minutes == [0] else _tell_part(minutes, "minute", "every hour")
    step = _find_step(hours)
    if minutes is not None and len(minutes) == 1 and step and len(hours) >= _LONG_RUN:
        ends = f" from {_show_time(hours[0], minutes[0])} to {_show_time(hours[-1], minutes[0])}"
        goes_round = minutes == [0] and _goes_round(hours, 24)
        return describe_step(step, "hour") + ("" if goes_round else ends)
    told = _tell_part(minutes, "minute", "the hour")
    if step == 1 or len(hours) == 1:
        return f"{told}, from {hours[0]:02}:00 to {hours[-1]:02}:59"
    return f"{told}, in the hours {_list_values(hours, str)}"


def _tell_part(values: Values, unit: str, of: str) -> str:
    """Tell which seconds of a minute, or minutes of an hour."""
    if values is None:
        return f"Every {unit}"
    step = _find_step(values)
    if step and _goes_round(values, 60):
        return describe_step(step, unit)
    if step and len(values) > _LONG_RUN:
        return f"{describe_step(step, unit)} from {values[0]} to {values[-1]} past {of}"
    plural = "" if list(values) == [1] else "s"
    return f"At {_list_values(values, str)} {unit}{plural} past {of}"


def _tell_days(fields: CronFields) -> str:
    """Tell which days, with what goes before them."""
    months = "" if fields.months is None else _list_values(fields.months, _name_month)
    of_month = f" of {months or 'the month'}"
    weekdays = _tell_weekdays(fields, of_month)
    if not fields.of_month and months:
        weekdays += f" in {months}"
    if fields.days is None:
        return weekdays
    days = f" on {_tell_days_of_month(fields)}{of_month}"
    return days if fields.weekdays is None else f"{days}, or {weekdays.lstrip(', ')}"


def _tell_days_of_month(fields: CronFields) -> str:
    days = fields.days or ()
    if fields.near_weekday:
        return f"the weekday nearest to the {_rank(days[0])}"
    step = _find_step(days)
    told = [f"the {_list_values(days, _rank)}"] if days else []
    if step and step > 1 and len(days) > _LONG_RUN:
        told = [f"every {_rank(step)} day from the {_rank(days[0])} to the {_rank(days[-1])}"]
    return _join([*told, *(["the last day"] if fields.last_day else [])])


def _tell_weekdays(fields: CronFields, of_month: str) -> str:
    if fields.weekdays is None:
        return ""
    if fields.of_month:
        meant = [
            f"the {_name_place(place)} {_WEEKDAYS[weekday]}"
            for weekday in sorted(fields.of_month)
            for place in sorted(fields.of_month[weekday], key=str)
        ]
        return f" on {_join(meant)}{of_month}"
    # A week begins with Monday.
    weekdays = sorted({(weekday - 1) % 7 for weekday in fields.weekdays})
    told = _list_values(weekdays, lambda weekday: _WEEKDAYS[(weekday + 1) % 7])
    return f", {told}" if " to " in told else f" on {told}"


def _list_values(values: Sequence[int], name: Callable[[int], str]) -> str:
    """List values, with long runs of them as ``a to b``."""
    words: list[str] = []
    runs = _find_runs(values)
    for run in runs:
        is_long = len(run) >= _LONG_RUN
        words += [f"{name(run[0])} to {name(run[-1])}"] if is_long else map(name, run)
    return _join(words)


def _find_runs(values: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return runs


def _find_step(values: Sequence[int]) -> int | None:
    """Return by what each value is more than the one before, if that is always the same."""
    steps = {later - earlier for earlier, later in pairwise(values)}
    return steps.pop() if len(steps) == 1 else None


def _goes_round(values: Sequence[int], end: int) -> bool:
    """Return whether values that have a step go on with it from 0 to `end`, and from there."""
    return values[0] == 0 and values[-1] + values[1] == end


def _show_time(hour: int, minute: int, second: int = 0) -> str:
    return f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")


def _name_month(month: int) -> str:
    return _MONTHS[month - 1]


def _name_place(place: int | str) -> str:
    return _ORDINALS[place - 1] if isinstance(place, int) else "last"


def _rank(day: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{'th' if day in {11, 12, 13} else ending}"


def _join(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
