"""Parsed cron expression: the only module that uses croniter, also its internals.

croniter parses an expression and finds the days of expressions with ``L``, ``W`` or ``#``. All
other wall times are counted by `iteration`, which is ten times as fast (decision 0005).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from datetime import datetime

from croniter import CroniterBadDateError, CroniterError, croniter

from biont.cron.fields import CronFields
from biont.cron.iteration import list_wall_times
from biont.cron.syntax import name_fields
from biont.exceptions import InvalidExpression

# The search for a first occurrence starts here. croniter looks 50 years ahead; the rarest date,
# a leap day on a given weekday, comes at least every 40.
_ANY_YEAR = datetime(2000, 1, 1)  # noqa: DTZ001 - wall-clock time has no zone


class ParsedExpression:
    """Cron expression in a form that can be counted.

    Args:
        text: the expression.
        seconds: whether a field for the second comes first.

    Raises:
        InvalidExpression: croniter cannot parse the expression, or no date matches.
    """

    def __init__(self, text: str, *, seconds: bool) -> None:
        try:
            parsed = croniter(text, _ANY_YEAR, ret_type=datetime, second_at_beginning=seconds)
            parsed.get_next()
        except CroniterBadDateError as error:
            raise InvalidExpression(f"{text!r}: is never due; no year has such a date") from error
        except CroniterError as error:
            raise InvalidExpression(f"{text!r}: {_explain_error(text, seconds)}") from error
        self._croniter = parsed
        self._has_seconds = seconds
        self.fields = _read_fields(parsed)

    def list_wall_times(self, after: datetime, years: range) -> Iterator[datetime]:
        """Yield the matching wall-clock times after `after`, in order.

        Args:
            after: a wall-clock time.
            years: the iteration ends after the first time that is in none of these years.
        """
        if self.fields.depends_on_month:
            return self._list_by_croniter(after, years)
        return list_wall_times(self.fields, after, years)

    def _list_by_croniter(self, after: datetime, years: range) -> Iterator[datetime]:
        # croniter counts in floating-point seconds and may skip a time after a fraction of one.
        wall_time = after.replace(microsecond=0)
        if not self._has_seconds:
            wall_time = wall_time.replace(second=0)
        # A croniter is also its own cursor; a copy keeps simultaneous iterations apart.
        cursor = copy(self._croniter)
        cursor.set_current(wall_time)
        while wall_time.year in years:
            wall_time = cursor.get_next()
            yield wall_time


def _read_fields(parsed: croniter) -> CronFields:
    minutes, hours, days, months, weekdays, *seconds = parsed.expanded
    return CronFields(
        seconds=_list_values(seconds[0]) if seconds else [0],
        minutes=_list_values(minutes),
        hours=_list_values(hours),
        days=_list_values(days),
        months=_list_values(months),
        weekdays=_list_values(weekdays),
        last_day="l" in days,
        nearest_weekday=bool(parsed.nearest_weekday),
        weekdays_of_month=parsed.nth_weekday_of_month,
    )


def _list_values(field: Sequence[int | str]) -> list[int] | None:
    return None if "*" in field else sorted(int(value) for value in field if value != "l")


def _explain_error(text: str, seconds: bool) -> str:
    """Return the fields that croniter cannot parse even alone; croniter itself names no field."""
    wrong = []
    names = name_fields(seconds)
    for position, (given, (name, allowed)) in enumerate(zip(text.split(), names, strict=True)):
        alone = ["*"] * len(names)
        alone[position] = given
        if not croniter.is_valid(" ".join(alone), second_at_beginning=seconds):
            wrong.append(f"the {name} {given!r} is not valid; it takes {allowed}")
    return "; ".join(wrong) or "its fields do not go together"
