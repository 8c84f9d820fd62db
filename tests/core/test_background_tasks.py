"""Chores are done again and again, whatever becomes of one of them."""

from __future__ import annotations

import asyncio

from biont.exceptions import StoreUnavailable
from biont.runtime.background_tasks import BackgroundTasks


class Chore:
    """Raises what it is told to, one after the other, and counts its calls."""

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


async def test_a_chore_that_fails_is_done_again_and_harms_no_other() -> None:
    failing, other = Chore(ZeroDivisionError(), StoreUnavailable("locked")), Chore()
    upkeep = BackgroundTasks()
    upkeep.every(0.01, "failing", failing)
    upkeep.every(0.01, "other", other)
    async with upkeep.run():
        await failing.wait_for(4)
        await other.wait_for(4)


async def test_a_chore_never_goes_on_twice_at_once_and_ends_with_all() -> None:
    ended, other = asyncio.Event(), Chore()
    started = 0

    async def hang() -> None:
        nonlocal started
        started += 1
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    upkeep = BackgroundTasks()
    upkeep.every(0.01, "hanging", hang)
    upkeep.every(0.01, "other", other)
    async with upkeep.run():
        await other.wait_for(5)
    assert (started, ended.is_set()) == (1, True)
