"""Paths and lists of the API that the pages of webhooks and events share."""

from __future__ import annotations

from collections.abc import Sequence

from biont_dashboard.visit import Visit

WEBHOOKS = "/api/v1/webhooks/outgoing"


async def read_event_types(visit: Visit) -> Sequence[str]:
    """Return the names of the declared event types, for suggestions."""
    rows = await visit.read_rows("/api/v1/event-types", limit=1000, fields="event_type")
    return [str(row["event_type"]) for row in rows]
