"""Workers that make attempts: kept for the next queue, within a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from support.webhooks import SUBSCRIBER

from biont_webhooks.delivery.endpoint_queue import EndpointQueue
from biont_webhooks.delivery.worker_pool import WorkerPool


class Workers:
    """Pool whose work ends at once, or when it is let go."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[None]] = []
        self.served = 0
        self.go_on = asyncio.Event()
        self.pool = WorkerPool(self._work, self._spawn)

    @property
    def running(self) -> int:
        return sum(not task.done() for task in self.tasks)

    async def serve(self, count: int) -> None:
        """Serve `count` queues at the same time."""
        self.go_on.clear()
        for _ in range(count):
            self.pool.start(EndpointQueue(SUBSCRIBER))
        await asyncio.sleep(0)
        self.go_on.set()
        for _ in range(5):  # more turns of the event loop than the work takes
            await asyncio.sleep(0)

    async def _work(self, _: EndpointQueue) -> None:
        await self.go_on.wait()
        self.served += 1

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        self.tasks.append(asyncio.create_task(coroutine))


async def test_workers_that_are_idle_serve_the_next_queues() -> None:
    workers = Workers()
    await workers.serve(3)
    await workers.serve(3)
    assert len(workers.tasks) == 3
    workers.pool.stop()
    await asyncio.gather(*workers.tasks)


async def test_workers_beyond_the_limit_end_after_their_queue() -> None:
    workers = Workers()
    await workers.serve(100)
    assert 0 < workers.running < 100
    workers.pool.stop()
    await asyncio.gather(*workers.tasks)


async def test_cancelled_worker_gets_no_queue() -> None:
    workers = Workers()
    await workers.serve(2)
    workers.tasks[-1].cancel()
    await asyncio.wait([workers.tasks[-1]])
    await workers.serve(2)
    assert workers.served == 4
    workers.pool.stop()
    await asyncio.gather(*workers.tasks, return_exceptions=True)


async def test_workers_end_after_their_queue_once_the_pool_is_stopped() -> None:
    workers = Workers()
    workers.pool.stop()
    await workers.serve(2)
    assert workers.running == 0
