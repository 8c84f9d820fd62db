"""Wall clock: maps the wall-clock times of a zone to instants, also where the clock changes."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def find_wall_time(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the naive time that the clock of a zone shows at an instant."""
    return instant.astimezone(zone).replace(tzinfo=None)


def find_instants(wall_time: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the instants of a wall time by the offsets before and after a clock change.

    Nearly always the two are equal. The two are in order for a wall time that is shown twice,
    and in reverse order, on either side of the gap, for a skipped wall time (PEP 495).
    """
    aware = wall_time.replace(tzinfo=zone)
    return aware.astimezone(UTC), aware.replace(fold=1).astimezone(UTC)


def find_instant(wall_time: datetime, zone: ZoneInfo) -> datetime:
    """Return the only instant of a wall time: the first of two, or the end of the gap."""
    first, second = find_instants(wall_time, zone)
    return first if first <= second else _find_gap_end(second, first, zone)


def _find_gap_end(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant of the new offset, after `before` and at most `after`."""
    old_offset = before.astimezone(zone).utcoffset()
    # Bisected, because zoneinfo does not reveal its changes, and by seconds, because
    # Amsterdam changed at a fraction of a minute in 1937.
    seconds = range(int((after - before).total_seconds()))
    changed = bisect_left(
        seconds,
        True,
        key=lambda second: (
            (before + timedelta(seconds=second)).astimezone(zone).utcoffset() != old_offset
        ),
    )
    return before + timedelta(seconds=changed)
