"""The clock of tests."""

from biont.testing import ManualClock as FakeClock

__all__ = ["FakeClock"]
