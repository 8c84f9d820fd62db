"""Deprecation of a route: the headers ``Deprecation`` (RFC 9745) and ``Sunset`` (RFC 8594)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from aiohttp import web


@dataclass(frozen=True)
class Deprecation:
    """Announcement that a route will be removed.

    Attributes:
        since: the instant since which the route is deprecated.
        sunset: the instant after which the route may be missing; None for no date.
        instead: the route to use instead: ``GET /api/v1/notes``; None for none.
    """

    since: datetime
    sunset: datetime | None = None
    instead: str | None = None

    def make_headers(self) -> dict[str, str]:
        """Return the headers of each answer of the route."""
        headers = {"Deprecation": f"@{int(self.since.timestamp())}"}
        if self.sunset is not None:
            headers["Sunset"] = format_datetime(self.sunset.astimezone(UTC), usegmt=True)
        return headers

    def explain(self) -> str:
        """Return the deprecation as a sentence for the documentation."""
        end = "" if self.sunset is None else f", and may be missing after {self.sunset:%Y-%m-%d}"
        instead = "" if self.instead is None else f" Use `{self.instead}` instead."
        return f"**Deprecated** since {self.since:%Y-%m-%d}{end}.{instead}"


DEPRECATION_HEADERS = web.RequestKey("biont_deprecation", dict[str, str])
"""The headers of the answer to a request for a deprecated route."""


async def add_deprecation_headers(http: web.Request, response: web.StreamResponse) -> None:
    """Add the headers of a deprecated route; a signal handler of aiohttp."""
    response.headers.update(http.get(DEPRECATION_HEADERS, {}))
