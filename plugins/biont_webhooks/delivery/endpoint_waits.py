"""Waits of endpoints: the instants before which receivers want no attempt.

A receiver that answers 429 or 503 with ``Retry-After`` asks for a wait. No attempt of the
webhook begins before that instant, whatever its retry policy. Attempts that a user requests by
hand do. The dispatcher keeps the waits in memory, and `save_results` writes each wait to the
table, so that a wait survives a restart. A resume, or another URL, ends a wait.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from biont.clock import Clock

WAIT_LIMIT = timedelta(hours=1)
"""The longest wait of an endpoint: a wrong ``Retry-After`` must not stop deliveries for days."""


def find_present_wait(until: datetime | None, now: datetime) -> datetime | None:
    """Return `until` if the endpoint waits at `now`, else None."""
    # An instant beyond the limit is from before the clock was set back.
    return until if until is not None and now < until <= now + WAIT_LIMIT else None


class EndpointWaits:
    """Instants before which no attempt begins, by webhook.

    Args:
        clock: decides whether a wait has ended.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[int, datetime] = {}

    def __contains__(self, webhook_id: int) -> bool:
        """Return whether a webhook waits, or has waited and nobody has asked since."""
        return webhook_id in self._until

    def seconds_left(self, webhook_id: int) -> float:
        """Return the seconds until attempts for a webhook may begin; 0 for now."""
        if webhook_id not in self._until:
            return 0.0
        now = self._clock.now()
        until = find_present_wait(self._until[webhook_id], now)
        if until is None:
            del self._until[webhook_id]
            return 0.0
        return (until - now).total_seconds()

    def extend(self, webhook_id: int, until: datetime) -> None:
        """Let a webhook wait until `until`, unless a longer wait is known."""
        if self.seconds_left(webhook_id) < (until - self._clock.now()).total_seconds():
            self._until[webhook_id] = until

    def replace(self, webhook_id: int, until: datetime | None) -> None:
        """Let a webhook wait until `until` and no longer; None for no wait."""
        self._until.pop(webhook_id, None)
        if until is not None:
            self._until[webhook_id] = until
