"""Upcoming occurrences: the future of a user's schedules, with jitter, the soonest first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import dropwhile, islice, takewhile

from biont.exceptions import InvalidExpression, UnknownTimeZone
from biont.scheduling import Schedule, Timing, find_jitter

_MAX_READ = 1001
"""The number of schedules that the first page of any size can have."""
_MAX_COUNTED = 100_000
"""The number of occurrences before a window that are counted towards `max_runs`."""
_MOMENT = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIES = 1_000_000
"""More than the number of schedules that are due at one instant."""


@dataclass(frozen=True, slots=True)
class Window:
    """Selection of upcoming occurrences.

    Attributes:
        start: the first instant; not before the present.
        until: the last instant; None for no end.
        schedule_id: the only schedule; None for all schedules of the user.
        skipped: the number of occurrences exactly at `start` that an earlier page has.
    """

    start: datetime
    until: datetime | None = None
    schedule_id: int | None = None
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Upcoming occurrence.

    Attributes:
        schedule: the schedule.
        scheduled_for: the occurrence, without jitter.
        due_at: the occurrence with jitter.
        problem: the reason why the occurrence will fail; None for a valid timing.
    """

    schedule: Schedule
    scheduled_for: datetime
    due_at: datetime
    problem: str | None = None


def select_upcoming(
    user_id: int, window: Window, now: datetime, limit: int
) -> tuple[list[Occurrence], int | None]:
    """Return a page of upcoming occurrences and the key of the next page, None after the last.

    Raises:
        NotFound: no such schedule, or another user's.
    """
    # Lazily merged: a schedule that is due each second is not listed further than needed.
    merged = heapq.merge(
        *(_list_window(schedule, window, now) for schedule in _read_due(user_id, window, now)),
        key=lambda found: (found.due_at, found.schedule.id),
    )
    # Once the instant has passed, the occurrences of the earlier page are not listed any more.
    skipped = window.skipped if window.start >= now else 0
    page = list(islice(merged, skipped, skipped + limit + 1))
    return page[:limit], _make_key(page[:limit], window) if len(page) > limit else None


def read_key(key: int) -> tuple[datetime, int]:
    """Return `Window.start` and `Window.skipped` of the page after `key`."""
    milliseconds, skipped = divmod(key, _TIES)
    return _EPOCH + timedelta(milliseconds=milliseconds), skipped


def list_occurrences(schedule: Schedule, now: datetime) -> Iterator[Occurrence]:
    """Yield the occurrences of an active schedule from `now` on."""
    due_at = schedule.next_fire_at
    if due_at is None or schedule.paused:
        return
    offset = find_jitter(schedule.id, schedule.jitter)
    try:
        timing = Timing.of(schedule)
    except (InvalidExpression, UnknownTimeZone) as error:
        yield Occurrence(schedule, due_at - offset, due_at, str(error))
        return
    left = None if schedule.max_runs is None else schedule.max_runs - schedule.run_count
    for instant in islice(timing.instants(max(due_at, now) - offset - _MOMENT), left):
        yield Occurrence(schedule, instant, instant + offset)


def _read_due(user_id: int, window: Window, now: datetime) -> list[Schedule]:
    if window.schedule_id is not None:
        return [Schedule.get_owned(user_id, window.schedule_id)]
    due = Schedule.of_user(user_id).where(Schedule.next_fire_at.is_null(False), ~Schedule.paused)
    if window.until is not None:
        due = due.where(Schedule.next_fire_at <= window.until)
    soonest = due.order_by(Schedule.next_fire_at)
    return list(soonest.limit(_MAX_READ) if window.start <= now else soonest)


def _list_window(schedule: Schedule, window: Window, now: datetime) -> Iterator[Occurrence]:
    # Runs before the window count towards `max_runs`; without a limit, they need no search.
    begin = now if schedule.max_runs is not None else max(now, window.start)
    found = list_occurrences(schedule, begin)
    if begin < window.start:
        found = islice(found, _MAX_COUNTED)
    later = dropwhile(lambda each: each.due_at < window.start, found)
    until = window.until
    return later if until is None else takewhile(lambda each: each.due_at <= until, later)


def _make_key(page: list[Occurrence], window: Window) -> int | None:
    last = page[-1].due_at
    milliseconds = (last - _EPOCH) // timedelta(milliseconds=1)
    ties = sum(found.due_at == last for found in page)
    if last == window.start:
        ties += window.skipped
    key = milliseconds * _TIES + ties
    # A cursor has 63 bits, enough for the years up to 2262.
    return key if key < 2**63 else None
