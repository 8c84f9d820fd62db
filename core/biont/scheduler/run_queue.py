"""Who is next: the runs that wait for a free place."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Collection
from typing import NamedTuple


class WaitingRun(NamedTuple):
    """A run that waits.

    Attributes:
        run_id: its number.
        schedule_id: of which schedule it is.
        alone: whether it waits until no other run of the schedule goes on.
    """

    run_id: int
    schedule_id: int
    alone: bool


class RunQueue:
    """Runs in the order in which they came, but those of one schedule one after another."""

    def __init__(self) -> None:
        self._known: dict[int, WaitingRun] = {}
        self._ready: deque[int] = deque()
        self._going = Counter[int]()
        self._behind: dict[int, deque[WaitingRun]] = defaultdict(deque)

    def __contains__(self, run_id: int) -> bool:
        return run_id in self._known

    def add(self, waiting: WaitingRun) -> None:
        """Put a run at the end, unless it is there, or goes on, already."""
        if waiting.run_id in self._known:
            return
        self._known[waiting.run_id] = waiting
        if waiting.alone and self._going[waiting.schedule_id]:
            self._behind[waiting.schedule_id].append(waiting)
        else:
            self._admit(waiting)

    def take(self, count: int) -> Collection[int]:
        """Return up to `count` runs that may start; each has to be given to `leave` at last."""
        return [self._ready.popleft() for _ in range(min(count, len(self._ready)))]

    def leave(self, run_id: int) -> None:
        """Let the next of its schedule come, since this run does not go on any more."""
        schedule_id = self._known.pop(run_id).schedule_id
        self._going[schedule_id] -= 1
        if self._going[schedule_id]:
            return
        del self._going[schedule_id]
        if behind := self._behind.get(schedule_id):
            self._admit(behind.popleft())
        else:
            self._behind.pop(schedule_id, None)

    def _admit(self, waiting: WaitingRun) -> None:
        self._going[waiting.schedule_id] += 1
        self._ready.append(waiting.run_id)
