"""Instants at which cron expressions are due, by ours and by croniter alone."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from croniter import croniter

from benchmarks.child import Child, answer
from benchmarks.sweeps import NOON, PLANS
from biont.scheduling import CronExpression, parse_time_zone


@dataclass(frozen=True)
class Preview(Child):
    """Previews due instants across zones; answers how many a second.

    Attributes:
        count: of instants, for each plan.
    """

    count: int

    async def run(self) -> None:
        """Preview them."""
        started = time.perf_counter()
        for expression, zone in PLANS:
            instants = CronExpression.parse(expression).instants(NOON, parse_time_zone(zone))
            assert len(list(islice(instants, self.count))) == self.count
        answer(self.count * len(PLANS) / (time.perf_counter() - started))


@dataclass(frozen=True)
class CountInCroniter(Child):
    """Has croniter alone count wall-clock times; answers how many a second.

    Attributes:
        count: of wall-clock times, for each plan.
    """

    count: int

    async def run(self) -> None:
        """Count them."""
        started = time.perf_counter()
        for expression, _ in PLANS:
            times = croniter(expression, NOON.replace(tzinfo=None), ret_type=datetime)
            assert len([times.get_next() for _ in range(self.count)]) == self.count
        answer(self.count * len(PLANS) / (time.perf_counter() - started))
