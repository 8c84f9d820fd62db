"""The numbers to hold: each row with its two bars and how it is measured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.measure import Result
from benchmarks.rows import (
    bus,
    deliveries,
    http,
    latency,
    llm,
    pages,
    relay,
    schedules,
    start,
    tenants,
)

Held = Literal["first", "goal", "none"]


@dataclass(frozen=True)
class Bar:
    """One row and what it is to reach.

    Attributes:
        row: its name.
        first: what is to be held from the first day.
        goal: what is possible.
        measure: from an empty folder to the result.
        lower_is_better: whether the value is a cost.
    """

    row: str
    first: float
    goal: float
    measure: Callable[[Path], Awaitable[Result]]
    lower_is_better: bool = False

    def judge(self, result: Result) -> Held:
        """Return the higher of the two bars that a result holds."""
        if not result.is_valid:
            return "none"
        if self._is_held(result.value, self.goal):
            return "goal"
        return "first" if self._is_held(result.value, self.first) else "none"

    def _is_held(self, value: float, bar: float) -> bool:
        return value <= bar if self.lower_is_better else value >= bar


BARS = (
    Bar("ingest_c1", 0.15, 0.25, http.ingest_c1),
    Bar("ingest_c32", 0.35, 0.50, http.ingest_c32),
    Bar("ingest_c256", 0.45, 0.60, http.ingest_c256),
    Bar("read_c32", 0.20, 0.40, http.read_c32),
    Bar("delivery_rate", 0.80, 1.50, deliveries.delivery_rate),
    Bar("relay", 0.50, 0.80, relay.relay),
    Bar("relay_behind", 1.0, 0.2, relay.relay_behind, lower_is_better=True),
    Bar("delivery_latency", 4.0, 2.0, latency.delivery_latency, lower_is_better=True),
    Bar("isolation", 1.5, 1.15, latency.isolation, lower_is_better=True),
    Bar("tenants", 2.0, 1.5, tenants.tenants, lower_is_better=True),
    Bar("page", 3.0, 1.5, pages.page, lower_is_better=True),
    Bar("bus_rate", 3, 10, bus.bus_rate),
    Bar("backlog_memory", 64, 32, bus.backlog_memory, lower_is_better=True),
    Bar("idle_rss", 1.6, 1.25, start.idle_rss, lower_is_better=True),
    Bar("ready_time", 2.5, 1.5, start.ready_time, lower_is_better=True),
    Bar("sweep_idle", 2.0, 1.1, schedules.sweep_idle, lower_is_better=True),
    Bar("sweep_burst", 5, 2, schedules.sweep_burst, lower_is_better=True),
    Bar("preview_rate", 0.4, 0.8, schedules.preview_rate),
    Bar("lateness", 50, 20, schedules.lateness, lower_is_better=True),
    Bar("llm_first_token", 1.4, 1.15, llm.llm_first_token, lower_is_better=True),
    Bar("llm_token_rate", 0.4, 0.7, llm.llm_token_rate),
    Bar("streams_memory", 60, 30, llm.streams_memory, lower_is_better=True),
)
