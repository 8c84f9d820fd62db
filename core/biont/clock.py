"""The one place where time is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What tells the time; a test hands in one of its own."""

    def now(self) -> datetime:
        """Return the present instant, timezone-aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present instant, timezone-aware, in UTC."""
        return datetime.now(UTC)


class VirtualClock:
    """Stands still until it is moved: for tests, and for what is only simulated.

    Attributes:
        at: the instant that it shows; timezone-aware, in UTC.
    """

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the instant that it shows."""
        return self.at

    def advance(self, **by: float) -> None:
        """Move it; `by` is what a `timedelta` is made of."""
        self.at += timedelta(**by)
