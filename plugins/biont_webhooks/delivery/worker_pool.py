"""Worker pool: tasks that make attempts, kept for the next queue.

Most queues empty many times a second, and a new task for each delivery would cost a fifth of an
attempt. So a worker that has emptied its queue waits for another queue, of any endpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine

from biont_webhooks.delivery.endpoint_queue import EndpointQueue

_IDLE_LIMIT = 64
"""The most workers that wait for a queue; further ones end."""


class WorkerPool:
    """Runs a worker for a queue: one that is idle, or a new one.

    Args:
        work: empties a queue.
        spawn: runs a coroutine in the background.
    """

    def __init__(
        self,
        work: Callable[[EndpointQueue], Awaitable[None]],
        spawn: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._work = work
        self._spawn = spawn
        self._idle: list[asyncio.Future[EndpointQueue | None]] = []
        self._stopped = False

    def start(self, queue: EndpointQueue) -> None:
        """Let a worker empty `queue`."""
        while self._idle:
            worker = self._idle.pop()
            # A worker that was cancelled in its wait is still in the list.
            if not worker.done():
                worker.set_result(queue)
                return
        self._spawn(self._run(queue))

    def stop(self) -> None:
        """End the workers that are idle, and the others after their queue."""
        self._stopped = True
        for worker in self._idle:
            if not worker.done():
                worker.set_result(None)

    async def _run(self, queue: EndpointQueue) -> None:
        given: EndpointQueue | None = queue
        while given is not None:
            await self._work(given)
            given = await self._wait_for_queue()

    async def _wait_for_queue(self) -> EndpointQueue | None:
        if self._stopped or len(self._idle) >= _IDLE_LIMIT:
            return None
        worker: asyncio.Future[EndpointQueue | None] = asyncio.get_running_loop().create_future()
        self._idle.append(worker)
        return await worker
