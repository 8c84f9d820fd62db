"""Description of cron expressions in words.

The words are unambiguous: expressions that are due at different times read differently
(`tests/core/test_cron_words.py` tries neighbouring expressions).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise, product

from biont.cron.fields import CronFields, Values
from biont.cron.last_days import LastDays

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_MAX_TIMES = 6
"""The largest number of times of a day that are listed one by one."""

_LONG_RUN = 3
"""The number of consecutive values from which on they read ``a to b``."""


def describe_fields(fields: CronFields) -> str:
    """Return an expression in words: ``At 09:00, Monday to Friday``."""
    moments = _describe_times_of_day(fields.seconds, fields.minutes, fields.hours)
    days = _describe_days(fields)
    if moments is None:
        return _describe_times(fields) + days
    return moments + (days if days and not days.startswith(" in ") else f" every day{days}")


def describe_step(count: int, unit: str) -> str:
    """Return a step in words: ``Every 15 minutes``, ``Every minute``."""
    return f"Every {unit}" if count == 1 else f"Every {count} {unit}s"


def _describe_times_of_day(seconds: Values, minutes: Values, hours: Values) -> str | None:
    """Return the times of a day as a list; None when there are too many."""
    if seconds is None or minutes is None or hours is None:
        return None
    times = list(product(hours, minutes, seconds))
    if len(times) > _MAX_TIMES:
        return None
    return f"At {_join([_format_time(*time) for time in times])}"


def _describe_times(fields: CronFields) -> str:
    seconds, minutes, hours = fields.seconds, fields.minutes, fields.hours
    whole_minutes = _describe_times_of_day([0], minutes, hours) or _describe_minutes(
        minutes, hours
    )
    if seconds == [0]:
        return whole_minutes
    if minutes is None and hours is None:
        return _describe_part(seconds, "second", "every minute")
    of_minute = _describe_part(seconds, "second", "the minute")
    return f"{of_minute}, of these minutes: {whole_minutes[0].lower()}{whole_minutes[1:]}"


def _describe_minutes(minutes: Values, hours: Values) -> str:
    if hours is None:
        return "Every hour" if minutes == [0] else _describe_part(minutes, "minute", "every hour")
    step = _find_step(hours)
    if minutes is not None and len(minutes) == 1 and step and len(hours) >= _LONG_RUN:
        ends = (
            f" from {_format_time(hours[0], minutes[0])} to {_format_time(hours[-1], minutes[0])}"
        )
        fills_circle = minutes == [0] and _fills_circle(hours, 24)
        return describe_step(step, "hour") + ("" if fills_circle else ends)
    words = _describe_part(minutes, "minute", "the hour")
    if step == 1 or len(hours) == 1:
        return f"{words}, from {hours[0]:02}:00 to {hours[-1]:02}:59"
    return f"{words}, in the hours {_list_values(hours, str)}"


def _describe_part(values: Values, unit: str, of: str) -> str:
    """Return the seconds of a minute, or the minutes of an hour, in words."""
    if values is None:
        return f"Every {unit}"
    step = _find_step(values)
    if step and _fills_circle(values, 60):
        return describe_step(step, unit)
    if step and len(values) > _LONG_RUN:
        return f"{describe_step(step, unit)} from {values[0]} to {values[-1]} past {of}"
    plural = "" if list(values) == [1] else "s"
    return f"At {_list_values(values, str)} {unit}{plural} past {of}"


def _describe_days(fields: CronFields) -> str:
    """Return the days in words, with the leading comma or preposition."""
    months = "" if fields.months is None else _list_values(fields.months, _name_month)
    of_month = f" of {months or 'the month'}"
    weekdays = _describe_weekdays(fields, of_month)
    if not fields.weekdays_of_month and months:
        weekdays += f" in {months}"
    if fields.days is None:
        return weekdays
    days = f" on {_describe_days_of_month(fields)}{of_month}"
    return days if fields.weekdays is None else f"{days}, or {weekdays.lstrip(', ')}"


def _describe_days_of_month(fields: CronFields) -> str:
    days = fields.days or ()
    if fields.nearest_weekday:
        return f"the weekday nearest to the {_rank(days[0])}"
    step = _find_step(days) if days else None
    words = [f"the {_list_values(days, _rank)}"] if days else []
    if step and step > 1 and len(days) > _LONG_RUN:
        words = [f"every {_rank(step)} day from the {_rank(days[0])} to the {_rank(days[-1])}"]
    if fields.last_days is not None:
        words += _describe_last_days(fields.last_days)
    return _join([*words, *(["the last day"] if fields.last_day else [])])


def _describe_last_days(last_days: LastDays) -> list[str]:
    words = [
        f"the {_rank(number)} day before the last" if number else "the last day"
        for number in sorted(last_days.before_last, reverse=True)
    ]
    return [*words, *(["the last weekday"] if last_days.has_last_weekday else [])]


def _describe_weekdays(fields: CronFields, of_month: str) -> str:
    if fields.weekdays is None:
        return ""
    if fields.weekdays_of_month:
        chosen = [
            f"the {_name_position(position)} {_WEEKDAYS[weekday]}"
            for weekday in sorted(fields.weekdays_of_month)
            for position in sorted(fields.weekdays_of_month[weekday], key=str)
        ]
        return f" on {_join(chosen)}{of_month}"
    # Listed from Monday on, so that a weekend reads "Saturday and Sunday".
    weekdays = sorted({(weekday - 1) % 7 for weekday in fields.weekdays})
    words = _list_values(weekdays, lambda weekday: _WEEKDAYS[(weekday + 1) % 7])
    return f", {words}" if " to " in words else f" on {words}"


def _list_values(values: Sequence[int], name: Callable[[int], str]) -> str:
    """Return values as a list, long runs as ``a to b``."""
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
    """Return the difference between neighbouring values; None when the differences vary."""
    steps = {later - earlier for earlier, later in pairwise(values)}
    return steps.pop() if len(steps) == 1 else None


def _fills_circle(values: Sequence[int], end: int) -> bool:
    """Return whether values with a constant step fill the circle from 0 to `end` evenly."""
    return values[0] == 0 and values[-1] + values[1] == end


def _format_time(hour: int, minute: int, second: int = 0) -> str:
    return f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")


def _name_month(month: int) -> str:
    return _MONTHS[month - 1]


def _name_position(position: int | str) -> str:
    return _ORDINALS[position - 1] if isinstance(position, int) else "last"


def _rank(day: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{'th' if day in {11, 12, 13} else ending}"


def _join(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
