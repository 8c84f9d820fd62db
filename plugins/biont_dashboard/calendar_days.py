"""Calendar: days with the runs that were and the occurrences that come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from biont_dashboard.run_marks import Mark, read_marks
from biont_dashboard.visit import Visit

# The worst first: the dot of several runs has the tone of the worst.
_WORST = ("fail", "warn", "run", "ok", "off", "wait")
# Entries of a day, and entries of one schedule that stand alone, by the view.
_LINES = {"month": 5, "week": 40}
_ALONE = {"month": 1, "week": 4}


class Entry(NamedTuple):
    """Line of a day: one mark, or several of a schedule together."""

    time: str
    name: str
    tone: str
    title: str
    href: str
    number: int


class Day(NamedTuple):
    """Day of the calendar.

    Attributes:
        on: the date.
        is_today: whether the day is today.
        is_outside: whether the day belongs to another month.
        clock: the change of the clock on this day, such as ``+1 h``; empty for none.
        entries: the lines.
        more: the number of lines that are not shown.
    """

    on: date
    is_today: bool
    is_outside: bool
    clock: str
    entries: Sequence[Entry]
    more: int


class Calendar(NamedTuple):
    """Weeks of days.

    Attributes:
        title: the name of the month, or the days of the week.
        view: ``month`` or ``week``.
        on: the chosen date.
        before: the date for the calendar before.
        after: the date for the calendar after.
        zone: the time zone.
        weeks: the weeks, from Monday on.
        gaps: the reasons why the calendar is not complete.
    """

    title: str
    view: str
    on: date
    before: date
    after: date
    zone: str
    weeks: Sequence[Sequence[Day]]
    gaps: Sequence[str]

    @property
    def has_entries(self) -> bool:
        """True if a day has a run or a coming occurrence."""
        return any(day.entries for week in self.weeks for day in week)


async def make_calendar(visit: Visit, view: str, chosen: date | None, zone: str) -> Calendar:
    """Return the calendar around a date; today for None."""
    clock = ZoneInfo(zone)
    now = visit.request.workbench.clock.now()
    today = now.astimezone(clock).date()
    day = chosen or today
    first, last = _find_span(view, day)
    start, end = _begin(first, clock), _begin(last + timedelta(days=1), clock)
    marks, gaps = await read_marks(visit, start, end, now)
    by_day = _group_by_day(marks, clock)
    days = [first + timedelta(days=index) for index in range((last - first).days + 1)]
    made = [_make_day(each, view, day, today, by_day.get(each, []), clock) for each in days]
    before, after = _find_neighbours(view, day)
    return Calendar(
        _describe(view, first, day),
        view,
        day,
        before,
        after,
        zone,
        [made[index : index + 7] for index in range(0, len(made), 7)],
        gaps,
    )


def _find_span(view: str, day: date) -> tuple[date, date]:
    """Return the first and the last day, which are a Monday and a Sunday."""
    if view == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first - timedelta(days=first.weekday()), last + timedelta(days=6 - last.weekday())


def _find_neighbours(view: str, day: date) -> tuple[date, date]:
    if view == "week":
        return day - timedelta(days=7), day + timedelta(days=7)
    first = day.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=31)).replace(day=1)


def _describe(view: str, first: date, day: date) -> str:
    if view == "month":
        return f"{day:%B %Y}"
    last = first + timedelta(days=6)
    return f"{first.day} {first:%b} to {last.day} {last:%b %Y}"


def _group_by_day(marks: Iterable[Mark], clock: ZoneInfo) -> Mapping[date, Sequence[Mark]]:
    ordered = sorted(marks, key=attrgetter("at"))
    return {
        day: list(group)
        for day, group in groupby(ordered, key=lambda mark: mark.at.astimezone(clock).date())
    }


def _make_day(
    day: date, view: str, chosen: date, today: date, marks: Sequence[Mark], clock: ZoneInfo
) -> Day:
    entries = _make_entries(marks, clock, _ALONE[view])
    shown = entries[: _LINES[view]]
    return Day(
        day,
        day == today,
        view == "month" and day.month != chosen.month,
        _describe_clock(day, clock),
        shown,
        len(entries) - len(shown),
    )


def _make_entries(marks: Sequence[Mark], clock: ZoneInfo, alone: int) -> Sequence[Entry]:
    """Return the lines of a day; many marks of a schedule become one line."""
    groups: dict[tuple[int, bool], list[Mark]] = {}
    for mark in marks:
        # What was and what comes have lines of their own.
        groups.setdefault((mark.schedule_id, mark.tone == "wait"), []).append(mark)
    entries = []
    for group in groups.values():
        if len(group) <= alone:
            entries += [_make_entry([mark], clock) for mark in group]
        else:
            entries.append(_make_entry(group, clock))
    return sorted(entries, key=attrgetter("time"))


def _make_entry(group: Sequence[Mark], clock: ZoneInfo) -> Entry:
    first, last = group[0], group[-1]
    begin, end = (f"{mark.at.astimezone(clock):%H:%M}" for mark in (first, last))
    if len(group) == 1:
        return Entry(begin, first.name, first.tone, first.words, first.href, 1)
    counts: dict[str, int] = {}
    for mark in group:
        counts[mark.words] = counts.get(mark.words, 0) + 1
    words = ", ".join(f"{count} {word}" for word, count in counts.items())
    tone = min((mark.tone for mark in group), key=_WORST.index)
    href = f"/dashboard/schedules/{first.schedule_id}"
    return Entry(begin, first.name, tone, f"{words}, {begin} to {end}", href, len(group))


def _describe_clock(day: date, clock: ZoneInfo) -> str:
    """Return by how much the clock changes on a day; empty for no change."""
    begin, end = _begin(day, clock), _begin(day + timedelta(days=1), clock)
    change = timedelta(days=1) - (end - begin)
    if not change:
        return ""
    hours = change.total_seconds() / 3600
    return f"{hours:+g} h"


def _begin(day: date, clock: ZoneInfo) -> datetime:
    """Return the begin of a day in UTC, so that differences are real durations."""
    return datetime.combine(day, time(), clock).astimezone(UTC)
