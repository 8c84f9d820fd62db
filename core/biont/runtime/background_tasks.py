"""Periodic background tasks, such as retention and saving the use of API keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from biont.exceptions import StoreUnavailable

TaskFunction = Callable[[], Awaitable[None]]

_log = structlog.get_logger("biont.runtime.background_tasks")


@dataclass(frozen=True)
class _Entry:
    name: str
    function: TaskFunction
    seconds: float


class BackgroundTasks:
    """Periodic background tasks of one workbench.

    Tasks run side by side, but a task never runs twice at the same time. APScheduler decides
    when, by the machine's clock. Setting that clock back delays the next run; no background
    task depends on an exact time.
    """

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._running: dict[str, asyncio.Task[None]] = {}

    def every(self, seconds: float, name: str, function: TaskFunction) -> None:
        """Register a task that runs at the start and then periodically; call from a `lifespan`.

        Args:
            seconds: the interval between two runs.
            name: the name in the log: ``audit.retention``.
            function: does the work. An exception is logged; the next run comes as usual.
        """
        self._entries.append(_Entry(name, function, seconds))

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Run the registered tasks while the context is open; then cancel unfinished runs."""
        ticker = AsyncIOScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None})
        for entry in self._entries:
            ticker.add_job(self._tick, "interval", seconds=entry.seconds, args=[entry])
            # The first run comes at the start: a process that restarts often still does its tasks.
            await self._tick(entry)
        ticker.start()
        try:
            yield
        finally:
            ticker.shutdown(wait=False)
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _tick(self, entry: _Entry) -> None:
        # A coroutine function without await: APScheduler would run a plain function in a thread.
        run = self._running.get(entry.name)
        if run is None or run.done():
            self._running[entry.name] = asyncio.create_task(self._run_entry(entry))

    async def _run_entry(self, entry: _Entry) -> None:
        try:
            await entry.function()
        except StoreUnavailable as error:
            _log.warning("postponed: the store is unavailable", task=entry.name, error=str(error))
        except Exception:  # noqa: BLE001  # a bug in one task must not stop the workbench
            _log.exception("background task failed", task=entry.name)
