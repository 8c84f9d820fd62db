"""Clocks: the only module that reads the date and time; durations use monotonic clocks.

So tests and simulations can set the time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Source of the present instant; injected into all parts that need the time."""

    def now(self) -> datetime:
        """Return the present instant, timezone-aware, in UTC."""
        ...


class SystemClock:
    """Clock of the machine."""

    def now(self) -> datetime:
        """Return the present instant, timezone-aware, in UTC."""
        return datetime.now(UTC)


class VirtualClock:
    """Clock that stands still until it is moved; for tests and simulations.

    Attributes:
        at: the present instant; timezone-aware, in UTC.
    """

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the instant to which the clock is set."""
        return self.at

    def advance(self, **by: float) -> None:
        """Move the clock forward; `by` are the arguments of a `timedelta`."""
        self.at += timedelta(**by)
