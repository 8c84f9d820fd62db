"""A plugin of three handlers, each of which counts every event of the benchmark."""

from __future__ import annotations

from benchmarks.counting import TALLY

from biont import Event, Workbench, on


@on("custom_*")
async def count_first(_: Event, workbench: Workbench) -> None:
    """Count the event."""
    workbench.get(TALLY).add()


@on("custom_*")
async def count_second(_: Event, workbench: Workbench) -> None:
    """Count the event."""
    workbench.get(TALLY).add()


@on("custom_*")
async def count_third(_: Event, workbench: Workbench) -> None:
    """Count the event."""
    workbench.get(TALLY).add()
