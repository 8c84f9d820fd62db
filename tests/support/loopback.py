"""The loopback guard of tests."""

from biont.testing import LeftLoopback, keep_to_loopback

__all__ = ["LeftLoopback", "keep_to_loopback"]
