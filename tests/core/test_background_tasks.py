"""Background tasks run periodically and independently of one another."""

from __future__ import annotations

import asyncio

from biont.exceptions import StoreUnavailable
from biont.runtime.background_tasks import BackgroundTasks
from biont.testing import ManualClock


class CountedTask:
    """Task that raises the given errors one after the other, and counts its calls."""

    def __init__(self, *errors: Exception) -> None:
        self.calls = 0
        self._errors = list(errors)
        self._called = asyncio.Condition()

    async def __call__(self) -> None:
        async with self._called:
            self.calls += 1
            self._called.notify_all()
        if self._errors:
            raise self._errors.pop(0)

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(60), self._called:
            await self._called.wait_for(lambda: self.calls >= count)


async def test_a_failing_task_runs_again_and_does_not_affect_others() -> None:
    failing, other = CountedTask(ZeroDivisionError(), StoreUnavailable("locked")), CountedTask()
    tasks = BackgroundTasks(ManualClock())
    tasks.every(0.01, "failing", failing)
    tasks.every(0.01, "other", other)
    async with tasks.run():
        await failing.wait_for(4)
        await other.wait_for(4)


async def test_a_task_never_overlaps_itself_and_is_cancelled_at_the_end() -> None:
    ended, other = asyncio.Event(), CountedTask()
    started = 0

    async def hang() -> None:
        nonlocal started
        started += 1
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    tasks = BackgroundTasks(ManualClock())
    tasks.every(0.01, "hanging", hang)
    tasks.every(0.01, "other", other)
    async with tasks.run():
        await other.wait_for(5)
    assert (started, ended.is_set()) == (1, True)
