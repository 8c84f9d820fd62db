"""Task set: background tasks that end together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


class TaskSet:
    """Background tasks, held until they end: the event loop alone would forget them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        """Run `coroutine` in the background."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self, time_left: float) -> None:
        """Let the tasks end within `time_left` seconds, then cancel the others."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=time_left)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
