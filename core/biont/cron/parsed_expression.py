"""Parsed cron expression: the only module that uses croniter, also its internals.

croniter parses an expression and finds the days of expressions with ``L``, ``W`` or ``#``. All
other wall times are counted by `iteration`, which is ten times as fast (decision 0005).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from copy import copy
from datetime import datetime

from croniter import CroniterBadDateError, CroniterError, croniter

from biont.cron.fields import CronFields
from biont.cron.iteration import list_wall_times
from biont.cron.last_days import LastDays, split_day_field, translate_weekday_field
from biont.cron.syntax import name_fields
from biont.exceptions import InvalidExpression

# The search for a first occurrence starts here. croniter looks 50 years ahead; the rarest date,
# a leap day on a given weekday, comes at least every 40.
_LEAP_YEAR = 2000
_ANY_DAY = "1"
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
        translated, last_days = _translate(text)
        try:
            parsed = croniter(
                translated, _ANY_YEAR, ret_type=datetime, second_at_beginning=seconds
            )
            parsed.get_next()
        except CroniterBadDateError as error:
            raise InvalidExpression(f"{text!r}: is never due; no year has such a date") from error
        except CroniterError as error:
            raise InvalidExpression(
                f"{text!r}: {_explain_error(text, translated, seconds)}"
            ) from error
        self._croniter = parsed
        self._has_seconds = seconds
        self.fields = fields = _read_fields(parsed, last_days)
        self._nearest_to = max(fields.days or (), default=0) if fields.nearest_weekday else 0
        months = range(1, 13) if fields.months is None else fields.months
        if last_days is not None and self._nearest_to:
            raise InvalidExpression(f"{text!r}: W stands for one day; give no other day beside it")
        if not any(self._has_day(_LEAP_YEAR, month) for month in months):
            raise InvalidExpression(f"{text!r}: is never due; no month has such a day")

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
            if self._has_day(wall_time.year, wall_time.month):
                yield wall_time

    def _has_day(self, year: int, month: int) -> bool:
        """Return False if the day of a ``W`` is not in the month.

        croniter takes the last day of a short month for 31W; Quartz, croner and AWS take none.
        """
        last_days = self.fields.last_days
        if last_days is not None and last_days.is_alone:
            return any(last_days.list_days(year, month))
        return monthrange(year, month)[1] >= self._nearest_to


def _translate(text: str) -> tuple[str, LastDays | None]:
    """Return the expression as croniter reads it, and the days that croniter does not know."""
    fields = text.split()
    if text.startswith("@"):
        return text, None
    fields[-1] = translate_weekday_field(fields[-1])
    day, last_days = split_day_field(fields[-3])
    # croniter needs a day; `_read_fields` leaves it out.
    fields[-3] = day or _ANY_DAY
    return " ".join(fields), last_days


def _read_fields(parsed: croniter, last_days: LastDays | None) -> CronFields:
    minutes, hours, days, months, weekdays, *seconds = parsed.expanded
    return CronFields(
        seconds=_list_values(seconds[0]) if seconds else [0],
        minutes=_list_values(minutes),
        hours=_list_values(hours),
        days=[] if last_days is not None and last_days.is_alone else _list_values(days),
        months=_list_values(months),
        weekdays=_list_values(weekdays),
        last_day="l" in days,
        nearest_weekday=bool(parsed.nearest_weekday),
        weekdays_of_month=parsed.nth_weekday_of_month,
        last_days=last_days,
    )


def _list_values(field: Sequence[int | str]) -> list[int] | None:
    return None if "*" in field else sorted(int(value) for value in field if value != "l")


def _explain_error(text: str, translated: str, seconds: bool) -> str:
    """Return the fields that croniter cannot parse even alone; croniter itself names no field."""
    wrong = []
    names = name_fields(seconds)
    fields = zip(text.split(), translated.split(), names, strict=True)
    for position, (given, field, (name, allowed)) in enumerate(fields):
        if _is_valid(field, position, len(names), seconds):
            continue
        members = [
            f"{member!r} in {given!r}"
            for member in field.split(",")
            if member != field and not _is_valid(member, position, len(names), seconds)
        ]
        culprit = " and ".join(members) or repr(given)
        wrong.append(f"the {name} {culprit} is not valid; it takes {allowed}")
    return "; ".join(wrong) or "its fields do not go together"


def _is_valid(field: str, position: int, count: int, seconds: bool) -> bool:
    alone = ["*"] * count
    alone[position] = field
    return bool(croniter.is_valid(" ".join(alone), second_at_beginning=seconds))
