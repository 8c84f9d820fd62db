"""Rate class: a group of routes whose requests count together."""

from __future__ import annotations

from enum import StrEnum

from aiohttp import hdrs


class RateClass(StrEnum):
    """Group of routes whose requests count together."""

    READ = "read"
    WRITE = "write"
    CHAT = "chat"


def find_rate_class(method: str) -> RateClass:
    """Return the rate class of a route that names none."""
    return RateClass.READ if method in (hdrs.METH_GET, hdrs.METH_HEAD) else RateClass.WRITE
