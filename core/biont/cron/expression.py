"""Cron expression: maps matching wall-clock times to the instants at which they are due.

`ParsedExpression` finds wall-clock times; this module finds the instants, by these rules:

- A wall time that the clock skips is due at the first instant after the gap, also where a zone
  skips a whole day, as Pacific/Apia did on 2011-12-30. Several skipped times in one gap
  are one occurrence.
- A wall time that the clock shows twice is due once, the first time.
- An expression whose hour is ``*``, or has all 24 values, follows real time: due whenever the
  clock shows a matching minute. So a time in a repeated hour is due twice, and a skipped time
  is not due at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from biont.cron.description import describe_fields
from biont.cron.parsed_expression import ParsedExpression
from biont.cron.syntax import normalize_expression
from biont.cron.wall_clock import find_instant, find_instants, find_wall_time

# In other years an offset, or croniter's look ahead, may overflow `datetime`.
_YEARS = range(2, 9900)


@dataclass(frozen=True)
class CronExpression:
    """Valid cron expression of five or six fields, or an ``@`` alias.

    Made by `parse`. Expressions with the same text are equal.

    Attributes:
        text: the expression, with single spaces between the fields.
        seconds: whether a sixth field, the second, comes first.
    """

    text: str
    seconds: bool
    _parsed: ParsedExpression = field(repr=False, compare=False)

    @classmethod
    def parse(cls, expression: str, *, seconds: bool = False) -> CronExpression:
        """Parse an expression: minute, hour, day of the month, month, weekday.

        Lists, ranges, steps, names, ``L``, ``W``, ``#`` and ``@hourly`` are supported.
        An expression that restricts both days is due on either.

        Args:
            expression: the text that a user wrote.
            seconds: whether a field for the second comes first.

        Raises:
            InvalidExpression: the expression is not valid, or can never be due.
        """
        text = normalize_expression(expression, seconds=seconds)
        return cls(text, seconds, ParsedExpression(text, seconds=seconds))

    def describe(self) -> str:
        """Return the expression in words: ``At 09:00, Monday to Friday``.

        Expressions that are due at different times have different words.
        """
        return describe_fields(self._parsed.fields)

    def next_after(self, instant: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the first occurrence strictly after `instant` (both aware, in UTC).

        None means the end of the calendar: an expression is due at least every 40 years, but
        only in the years 2 to 9900.
        """
        return next(self.instants(instant, zone), None)

    def between(
        self, start: datetime, end: datetime, zone: ZoneInfo, limit: int
    ) -> list[datetime]:
        """Return the first `limit` occurrences after `start`, up to and including `end`."""
        due = takewhile(lambda instant: instant <= end, self.instants(start, zone))
        return list(islice(due, limit))

    def instants(self, start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Yield the occurrences strictly after `start` (all aware, in UTC), in order.

        Cheaper than repeated calls of `next_after`, because the iterator keeps the place in
        the calendar.
        """
        return (instant for instant, _ in self.instants_and_wall_times(start, zone))

    def instants_and_wall_times(
        self, start: datetime, zone: ZoneInfo
    ) -> Iterator[tuple[datetime, datetime]]:
        """Yield the occurrences strictly after `start`, each with the matching wall time.

        The clock shows the wall time at the instant, unless the clock skips the wall time.
        """
        if start.year not in _YEARS:
            return
        follows_real_time = self._parsed.fields.hours is None
        candidates = self._list_all if follows_real_time else self._list_once
        latest = start
        # Candidates may repeat (several skipped times, one gap) or begin before `start`.
        for instant, wall_time in candidates(start, zone):
            if instant > latest:
                latest = instant
                yield instant, wall_time

    def _list_once(self, start: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        """Yield each wall time with the first instant, or with the end of the gap."""
        for wall_time in self._parsed.list_wall_times(find_wall_time(start, zone), _YEARS):
            yield find_instant(wall_time, zone), wall_time

    def _list_all(self, start: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        """Yield each wall time with none, one or two instants."""
        wall_clock = find_wall_time(start, zone)
        first, second = find_instants(wall_clock, zone)
        # In the first of two equal hours, wall times before the present one come once more.
        repeated = max(second - first, timedelta(0))
        # Second instants wait here until the first instants of the same hour have passed.
        again: deque[tuple[datetime, datetime]] = deque()
        for wall_time in self._parsed.list_wall_times(wall_clock - repeated, _YEARS):
            first, second = find_instants(wall_time, zone)
            if first > second:
                continue
            while again and again[0][0] < first:
                yield again.popleft()
            yield first, wall_time
            if first < second:
                again.append((second, wall_time))
