"""Timing: computes the occurrences of a schedule.

Validation, preview, simulation and the scheduler all use this module, so a preview cannot
differ from the runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from itertools import islice, takewhile
from typing import Protocol
from zoneinfo import ZoneInfo

from biont.cron.calendar_interval import CalendarInterval
from biont.cron.description import describe_step
from biont.cron.expression import CronExpression
from biont.exceptions import InvalidExpression
from biont.scheduler.tables import TimingKind
from biont.time_zones import parse_time_zone

_MOMENT = timedelta(microseconds=1)
# No day: a day with a change of the clock has 23 or 25 hours, and an interval counts seconds.
_UNITS = ((3600, "hour"), (60, "minute"), (1, "second"))
# The same bound as for cron expressions: later instants overflow `datetime` in some zone.
_END = datetime(9900, 1, 1, tzinfo=UTC)

LONGEST_INTERVAL = 10 * 366 * 24 * 3600
"""The largest number of seconds of an ``every``."""


class WallTime(StrEnum):
    """Treatment of an occurrence's wall time by the clock of the zone."""

    ORDINARY = "ordinary"
    GAP = "gap"
    OVERLAP = "overlap"


@dataclass(frozen=True)
class Preview:
    """Previewed occurrence of a schedule.

    Attributes:
        instant: the occurrence in UTC, without jitter.
        local_time: the occurrence in the schedule's zone.
        wall_time: ``gap`` when the clock skips the wall time and the instant is the first
            after the gap; ``overlap`` when the clock shows the wall time twice, and
            ``local_time.fold`` says which time the instant is.
    """

    instant: datetime
    local_time: datetime
    wall_time: WallTime


class TimingFields(Protocol):
    """Columns of a schedule that `Timing.of` reads."""

    kind: str
    expression: str
    seconds: bool
    every: int | None
    at: datetime | None
    time_zone: str
    starts_at: datetime | None
    ends_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, eq=False)
class Timing:
    """Valid timing of a schedule: yields the occurrences, without jitter.

    Made by `of`, which checks all fields.
    """

    kind: TimingKind
    zone: ZoneInfo
    expression: CronExpression | None
    calendar: CalendarInterval | None
    interval: timedelta
    anchor: datetime
    starts_at: datetime | None
    ends_at: datetime | None

    @classmethod
    def of(cls, schedule: TimingFields) -> Timing:
        """Return the timing of a schedule.

        Raises:
            InvalidExpression: the timing is not valid, or has no occurrence.
            UnknownTimeZone: no such zone.
        """
        kind = _read_kind(schedule.kind)
        anchor = schedule.starts_at or schedule.created_at
        if kind is TimingKind.AT:
            if schedule.at is None:
                raise InvalidExpression("an instant is needed in 'at'")
            anchor = schedule.at
        return make_timing(
            kind,
            schedule.expression if kind in {TimingKind.CRON, TimingKind.CALENDAR} else "",
            bool(schedule.seconds),
            schedule.time_zone,
            _read_interval(schedule.every) if kind is TimingKind.EVERY else 0,
            None if kind is TimingKind.CRON else anchor,
            schedule.starts_at,
            schedule.ends_at,
        )

    def describe(self) -> str:
        """Return the timing in words and in local time: ``Every 15 minutes``."""
        if self.expression is not None:
            return self.expression.describe()
        if self.calendar is not None:
            return self.calendar.describe(self.anchor, self.zone)
        if self.kind is TimingKind.AT:
            local = self.anchor.astimezone(self.zone)
            return f"Once, on {local:%Y-%m-%d} at {local:%H:%M:%S}".removesuffix(":00")
        seconds = int(self.interval.total_seconds())
        length, unit = next(found for found in _UNITS if seconds % found[0] == 0)
        return describe_step(seconds // length, unit)

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the first occurrence strictly after `instant`; None when there is none."""
        return next(self.instants(instant), None)

    def instants(self, start: datetime) -> Iterator[datetime]:
        """Yield the occurrences strictly after `start`, in order, in UTC."""
        return (instant for instant, _ in self._instants_and_wall_times(start))

    def preview(self, start: datetime, count: int) -> list[Preview]:
        """Return up to `count` occurrences strictly after `start`."""
        due = islice(self._instants_and_wall_times(start), count)
        return [self._make_preview(instant, wall_time) for instant, wall_time in due]

    def _make_preview(self, instant: datetime, wall_time: datetime | None) -> Preview:
        local = instant.astimezone(self.zone)
        on_clock = local.replace(tzinfo=None, fold=0)
        if wall_time is not None and wall_time != on_clock:
            return Preview(instant, local, WallTime.GAP)
        other = local.replace(fold=1 - local.fold)
        is_twice = other.utcoffset() != local.utcoffset()
        return Preview(instant, local, WallTime.OVERLAP if is_twice else WallTime.ORDINARY)

    def _instants_and_wall_times(
        self, start: datetime
    ) -> Iterator[tuple[datetime, datetime | None]]:
        if self.starts_at is not None:
            # The search is strictly after; `starts_at` itself may be an occurrence.
            start = max(start, self.starts_at - _MOMENT)
        due = self._list_all(start)
        if self.ends_at is None:
            return due
        end = self.ends_at
        return takewhile(lambda found: found[0] <= end, due)

    def _list_all(self, start: datetime) -> Iterator[tuple[datetime, datetime | None]]:
        if self.expression is not None:
            yield from self.expression.instants_and_wall_times(start, self.zone)
        elif self.calendar is not None:
            yield from self.calendar.instants_and_wall_times(start, self.anchor, self.zone)
        elif self.kind is TimingKind.AT:
            if self.anchor > start:
                yield self.anchor, None
        else:
            first = max(0, (start - self.anchor) // self.interval + 1)
            last = (_END - self.anchor) // self.interval
            for number in range(first, last + 1):
                yield self.anchor + number * self.interval, None


@lru_cache(maxsize=4096)
def make_timing(  # noqa: PLR0913, PLR0917  # the key of the cache
    kind: TimingKind,
    expression: str,
    seconds: bool,
    time_zone: str,
    every: int,
    anchor: datetime | None,
    starts_at: datetime | None,
    ends_at: datetime | None,
) -> Timing:
    """Return the timing; schedules with the same fields share one object.

    Raises:
        InvalidExpression: the timing is not valid, or has no occurrence.
        UnknownTimeZone: no such zone.
    """
    if starts_at is not None and ends_at is not None and ends_at < starts_at:
        raise InvalidExpression("it ends before it starts; give an 'ends_at' after 'starts_at'")
    return Timing(
        kind=kind,
        zone=parse_time_zone(time_zone),
        expression=_parse(expression, seconds) if kind is TimingKind.CRON else None,
        calendar=CalendarInterval.parse(expression) if kind is TimingKind.CALENDAR else None,
        interval=timedelta(seconds=every),
        # A cron expression has no anchor; the placeholder is never compared.
        anchor=anchor.replace(microsecond=0) if anchor is not None else datetime.min,  # noqa: DTZ901
        starts_at=starts_at,
        ends_at=ends_at,
    )


@lru_cache(maxsize=4096)
def _parse(expression: str, seconds: bool) -> CronExpression:
    return CronExpression.parse(expression, seconds=seconds)


def find_jitter(schedule_id: int, jitter: int) -> timedelta:
    """Return the time added to each occurrence of a schedule, always the same.

    Args:
        schedule_id: the id of the schedule.
        jitter: the largest time, in seconds.
    """
    if not jitter:
        return timedelta(0)
    # A hash of the id and no random number: previews, simulations and restarts agree.
    digest = blake2b(str(schedule_id).encode(), digest_size=8).digest()
    share = int.from_bytes(digest) / 2**64
    return timedelta(milliseconds=int(share * jitter * 1000))


def _read_kind(kind: str) -> TimingKind:
    try:
        return TimingKind(kind)
    except ValueError:
        raise InvalidExpression(
            f"{kind!r} is not a kind of timing; choose from {', '.join(TimingKind)}"
        ) from None


def _read_interval(every: int | None) -> int:
    if every is None or not 1 <= every <= LONGEST_INTERVAL:
        raise InvalidExpression(
            f"'every' is a number of seconds from 1 to {LONGEST_INTERVAL}, not {every}"
        )
    return every
