"""Background tasks that end together."""

from __future__ import annotations

import asyncio

from biont_webhooks.delivery.task_set import TaskSet


async def test_tasks_may_end_within_the_time_that_is_left() -> None:
    tasks, ended = TaskSet(), asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        ended.set()

    tasks.spawn(work())
    await tasks.end(time_left=30)
    assert ended.is_set()


async def test_tasks_that_take_longer_are_cancelled() -> None:
    tasks, cancelled = TaskSet(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    tasks.spawn(work())
    await asyncio.sleep(0)
    await tasks.end(time_left=0)
    assert cancelled.is_set()
    await tasks.end(time_left=0)
