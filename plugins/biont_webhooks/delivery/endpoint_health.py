"""Health of endpoints, by the result of the last attempt, and the pace that follows.

    UNKNOWN --success--> HEALTHY --failure--> FAILING --success--> HEALTHY
    UNKNOWN --failure--> FAILING

An endpoint that was paused, disabled or deleted is UNKNOWN again. Health is kept in memory
only: after a restart each endpoint is tested by its first attempt.
"""

from __future__ import annotations

from enum import Enum, auto

from biont_webhooks.delivery.pacer import Pacer

PACE_SECONDS = 0.005
"""The least time between attempts to failing endpoints: 200 dead ones then take one second."""


class HealthState(Enum):
    """Health of an endpoint."""

    UNKNOWN = auto()
    HEALTHY = auto()
    FAILING = auto()


class EndpointHealth:
    """Health of all endpoints, and the pacers of endpoints that are not healthy."""

    def __init__(self) -> None:
        self._known: dict[int, HealthState] = {}
        # New endpoints wait for no fixed time: one attempt begins in each turn of the loop.
        self._pacers = {HealthState.UNKNOWN: Pacer(0), HealthState.FAILING: Pacer(PACE_SECONDS)}

    def find_state(self, webhook_id: int) -> HealthState:
        """Return the health of an endpoint. Thread-safe."""
        return self._known.get(webhook_id, HealthState.UNKNOWN)

    def is_healthy(self, webhook_id: int) -> bool:
        """Return whether the last attempt for a webhook has succeeded."""
        return self.find_state(webhook_id) is HealthState.HEALTHY

    def find_pacer(self, webhook_id: int) -> Pacer | None:
        """Return the pacer of a webhook's attempts; None for a healthy endpoint."""
        return self._pacers.get(self.find_state(webhook_id))

    def note_result(self, webhook_id: int, *, succeeded: bool) -> None:
        """Note the result of an attempt."""
        self._known[webhook_id] = HealthState.HEALTHY if succeeded else HealthState.FAILING

    def reset(self, webhook_id: int) -> None:
        """Make the health of an endpoint unknown."""
        self._known.pop(webhook_id, None)
