"""Cron expressions: whether they are valid, and at which instants they are due.

croniter reads the expression, and finds the days of those that have ``L``, ``W`` or
``#``; this module counts wall-clock times and alone maps them to instants, by these rules:

- A wall time that the clock skips is due at the first instant after the gap,
  also where a zone skips a whole day, as Pacific/Apia did on 2011-12-30. Several
  of them in one gap are one instant.
- A wall time that the clock shows twice is due once, the first time.
- An expression whose hour is ``*``, or names all 24, goes by real time: it is due
  whenever the clock shows one of its minutes, so twice in an hour that repeats
  and not at all for a time that is skipped.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, CroniterError, croniter

from biont.cron.description import CronFields, describe_fields
from biont.cron.iteration import list_wall_times
from biont.exceptions import InvalidExpression

MAX_LENGTH = 200

_FIELDS = (
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of the month", "1-31 or L for the last"),
    ("month", "1-12 or JAN-DEC"),
    ("weekday", "0-7 or SUN-SAT (0 and 7 are Sunday), all with '#' or none"),
)
_SECOND = ("second", "0-59")
_ALIASES = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
_ALPHABET = re.compile(r"[\w*/,#?@() -]+", re.ASCII)
_MISREAD = (
    (
        re.compile(r"\b[hr]\b", re.ASCII | re.IGNORECASE),
        "H and R are not supported; write the numbers",
    ),
    (
        re.compile(r"\b(\w+)-\1\b", re.ASCII | re.IGNORECASE),
        "instead of a range from a value to itself, write the value alone",
    ),
)
_ONE_OF_A_MONTH = re.compile(r"#|\bL\d|\dW|W\d", re.ASCII | re.IGNORECASE)
_ANY = ("*", "?")

# Where neither an offset nor the look ahead leads out of what datetime can hold.
_YEARS = range(2, 9900)

# Whether an expression can be due at all is asked from here on. croniter looks 50 years
# ahead; the rarest date, a leap day on a given weekday, comes at least every 40.
_ANY_YEAR = datetime(2000, 1, 1)  # noqa: DTZ001 - wall-clock time has no zone


@dataclass(frozen=True)
class CronExpression:
    """A valid cron expression of five fields, or an ``@`` name for one.

    Make it with `parse`; two with the same text are equal.

    Attributes:
        text: the expression, with single spaces between its fields.
        seconds: whether it has a sixth field, the second, in front.
    """

    text: str
    seconds: bool
    _schedule: croniter = field(repr=False, compare=False)

    @classmethod
    def parse(cls, expression: str, *, seconds: bool = False) -> CronExpression:
        """Read an expression: minute, hour, day of the month, month, weekday.

        Lists, ranges, steps, names, ``L``, ``W``, ``#`` and ``@hourly`` are understood.
        Where both days are given, either of them makes the expression due.

        Args:
            expression: as a user wrote it.
            seconds: whether a field for the second comes first.

        Raises:
            InvalidExpression: it is not valid, or can never be due.
        """
        text = expression.strip()
        if len(text) > MAX_LENGTH:
            raise InvalidExpression(
                f"'{text[:40]}...': has {len(text)} characters; at most {MAX_LENGTH} are allowed"
            )
        text = " ".join(text.split())
        if problem := _find_misreading(text, seconds):
            raise InvalidExpression(f"{text!r}: {problem}")
        try:
            schedule = croniter(text, _ANY_YEAR, ret_type=datetime, second_at_beginning=seconds)
            schedule.get_next()
        except CroniterBadDateError as error:
            raise InvalidExpression(f"{text!r}: is never due; no year has such a date") from error
        except CroniterError as error:
            raise InvalidExpression(f"{text!r}: {_explain(text, seconds)}") from error
        return cls(text, seconds, schedule)

    def describe(self) -> str:
        """Return when it is due, in words: ``At 09:00, Monday to Friday``.

        What is due at other times has other words.
        """
        minutes, hours, days, months, weekdays, *seconds = self._schedule.expanded
        return describe_fields(
            CronFields(
                seconds=_list_values(seconds[0]) if seconds else [0],
                minutes=_list_values(minutes),
                hours=_list_values(hours),
                days=_list_values(days),
                months=_list_values(months),
                weekdays=_list_values(weekdays),
                last_day="l" in days,
                near_weekday=bool(self._schedule.nearest_weekday),
                of_month=self._schedule.nth_weekday_of_month,
            )
        )

    def next_after(self, instant: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the first due instant strictly after `instant` (both aware, in UTC).

        None means that the calendar ends: an expression is due at least every 40 years,
        but only in the years 2 to 9900.
        """
        return next(self.instants(instant, zone), None)

    def between(
        self, start: datetime, end: datetime, zone: ZoneInfo, limit: int
    ) -> list[datetime]:
        """Return the first `limit` due instants after `start`, up to and including `end`."""
        due = takewhile(lambda instant: instant <= end, self.instants(start, zone))
        return list(islice(due, limit))

    def instants(self, start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Yield the due instants strictly after `start` (all aware, in UTC), in order.

        The cheapest way to many of them: the place in the calendar is kept in between.
        """
        return (instant for instant, _ in self.instants_and_wall_times(start, zone))

    def instants_and_wall_times(
        self, start: datetime, zone: ZoneInfo
    ) -> Iterator[tuple[datetime, datetime]]:
        """Yield what `instants` does, each with the wall-clock time that made it due.

        The clock shows that time at that instant, unless it skips the time.
        """
        by_real_time = self._schedule.expanded[1] == ["*"]
        candidates = self._real_times if by_real_time else self._wall_times_once
        if start.year not in _YEARS:
            return
        latest = start
        for instant, wall_time in candidates(start, zone):
            if instant > latest:
                latest = instant
                yield instant, wall_time

    def _wall_times_once(
        self, start: datetime, zone: ZoneInfo
    ) -> Iterator[tuple[datetime, datetime]]:
        for wall_time in self._wall_times(_wall_clock(start, zone)):
            first, second = _occurrences(wall_time, zone)
            yield (first if first <= second else _end_of_gap(second, first, zone)), wall_time

    def _real_times(self, start: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        wall_clock = _wall_clock(start, zone)
        first, second = _occurrences(wall_clock, zone)
        # What the clock is showing twice just now may come again, though it lies behind.
        repeated = max(second - first, timedelta(0))
        again: deque[tuple[datetime, datetime]] = deque()
        for wall_time in self._wall_times(wall_clock - repeated):
            first, second = _occurrences(wall_time, zone)
            if first > second:
                continue
            while again and again[0][0] < first:
                yield again.popleft()
            yield first, wall_time
            if first < second:
                again.append((second, wall_time))

    def _wall_times(self, wall_clock: datetime) -> Iterator[datetime]:
        """Yield the matching wall-clock times after `wall_clock`, in order."""
        fields, by_week = self._schedule.expanded, self._schedule.nth_weekday_of_month
        if by_week or self._schedule.nearest_weekday or "l" in fields[2]:
            return self._wall_times_by_croniter(wall_clock)
        return list_wall_times(fields, wall_clock, _YEARS)

    def _wall_times_by_croniter(self, wall_clock: datetime) -> Iterator[datetime]:
        # Whole units only: croniter counts in floating-point seconds.
        wall_time = wall_clock.replace(microsecond=0)
        if not self.seconds:
            wall_time = wall_time.replace(second=0)
        schedule = copy(self._schedule)
        schedule.set_current(wall_time)
        while wall_time.year in _YEARS:
            wall_time = schedule.get_next()
            yield wall_time


def _list_values(field: Sequence[int | str]) -> list[int] | None:
    """Return what a field names, as croniter has expanded it; None for all there are."""
    return None if "*" in field else sorted(int(value) for value in field if value != "l")


def _find_misreading(text: str, seconds: bool) -> str | None:
    """Find what croniter would refuse obscurely, or take, but not as its author meant it."""
    fields = text.split()
    if not _ALPHABET.fullmatch(text):
        return "has characters that no cron expression has"
    if text.startswith("@"):
        return None if text.lower() in _ALIASES else f"is not one of {', '.join(_ALIASES)}"
    if len(fields) != len(_FIELDS) + seconds:
        return _explain_field_count(len(fields), seconds)
    day, weekday = fields[-3], fields[-1]
    misread = [remedy for pattern, remedy in _MISREAD if pattern.search(text)]
    if _ONE_OF_A_MONTH.search(text) and day not in _ANY and weekday not in _ANY:
        misread.append("beside #, W or L5, give only the day of the month or only the weekday")
    return "; ".join(misread) or None


def _explain_field_count(count: int, seconds: bool) -> str:
    names = ", ".join(name for name, _ in _name_fields(seconds))
    needed = "six" if seconds else "five"
    if count < len(_FIELDS) + seconds:
        return f"has {count} of {needed} fields; {needed} are needed: {names}"
    unsupported = "years are" if seconds else "seconds and years are"
    return f"has {count} fields; {unsupported} not supported, {needed} are needed: {names}"


def _explain(text: str, seconds: bool) -> str:
    """Name the fields that croniter does not take even on their own."""
    wrong = []
    named = _name_fields(seconds)
    for position, (given, (name, allowed)) in enumerate(zip(text.split(), named, strict=True)):
        alone = ["*"] * len(named)
        alone[position] = given
        if not croniter.is_valid(" ".join(alone), second_at_beginning=seconds):
            wrong.append(f"the {name} {given!r} is not valid; it takes {allowed}")
    return "; ".join(wrong) or "its fields do not go together"


def _name_fields(seconds: bool) -> Sequence[tuple[str, str]]:
    return (_SECOND, *_FIELDS) if seconds else _FIELDS


def _wall_clock(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _occurrences(wall_time: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the instants of a wall time as read before and after a change of the clock.

    They are equal for nearly all wall times, in order for one that is shown twice, and
    in reverse, on either side of the gap, for one that is skipped (PEP 495).
    """
    aware = wall_time.replace(tzinfo=zone)
    return aware.astimezone(UTC), aware.replace(fold=1).astimezone(UTC)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant of the new offset, which is after `before` and not past `after`."""
    old_offset = before.astimezone(zone).utcoffset()
    seconds = range(int((after - before).total_seconds()))
    changed = bisect_left(
        seconds,
        True,
        key=lambda second: (
            (before + timedelta(seconds=second)).astimezone(zone).utcoffset() != old_offset
        ),
    )
    return before + timedelta(seconds=changed)
