"""A clock that moves when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime

from biont.clock import VirtualClock


class FakeClock(VirtualClock):
    """The clock of simulations, at noon of a Monday."""

    def __init__(self, at: datetime = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)) -> None:
        super().__init__(at)
