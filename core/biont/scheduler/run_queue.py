"""Run queue: first in, first out, at most one active run for each exclusive schedule.

A run in the queue is in one of three states:

    held back --earlier run removed--> ready --take--> taken --remove--> (gone)

A run is held back while another run of the schedule is ready or taken, unless the overlap of
the schedule is ``allow``. The queue is only in memory: the table of runs has the truth, and
each start fills the queue from the table.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from typing import NamedTuple

import orjson

from biont.keyed_queue import KeyedQueue


class WaitingRun(NamedTuple):
    """A queued run.

    Attributes:
        run_id: the id of the run.
        schedule_id: the id of the run's schedule.
        exclusive: whether the run waits until no other run of the schedule is active.
    """

    run_id: int
    schedule_id: int
    exclusive: bool


def load_waiting_runs(found: str) -> list[WaitingRun]:
    """Return the runs of a JSON array of rows: run id, schedule id, exclusive."""
    return [
        WaitingRun(run_id, schedule_id, bool(exclusive))
        for run_id, schedule_id, exclusive in orjson.loads(found)
    ]


class RunQueue:
    """Queued and taken runs; runs of an exclusive schedule follow each other."""

    def __init__(self) -> None:
        self._known: dict[int, WaitingRun] = {}
        self._ready: deque[int] = deque()
        self._schedules = KeyedQueue[int, WaitingRun]()

    def __contains__(self, run_id: int) -> bool:
        return run_id in self._known

    def add(self, run: WaitingRun) -> None:
        """Append `run`; a run that is queued or taken already is ignored."""
        # A sweep and a look at the table may both find the same run.
        if run.run_id in self._known:
            return
        self._known[run.run_id] = run
        if self._schedules.enter(run.schedule_id, run, exclusive=run.exclusive):
            self._ready.append(run.run_id)

    def take(self, count: int) -> Collection[int]:
        """Return up to `count` runs to start; call `remove` at the end of each."""
        return [self._ready.popleft() for _ in range(min(count, len(self._ready)))]

    def remove(self, run_id: int) -> None:
        """Forget a taken run and make the next run of the schedule ready."""
        schedule_id = self._known.pop(run_id).schedule_id
        if following := self._schedules.leave(schedule_id):
            self._ready.append(following.run_id)
