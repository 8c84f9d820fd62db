"""Manual clock: stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime

from biont.clock import VirtualClock


class ManualClock(VirtualClock):
    """A clock that a test sets and advances; it starts at noon of a Monday.

    Args:
        at: the first instant, in UTC.
    """

    def __init__(self, at: datetime = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)) -> None:
        super().__init__(at)
