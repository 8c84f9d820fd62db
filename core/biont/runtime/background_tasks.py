"""Periodic background tasks, such as retention and saving the use of API keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from biont.clock import Clock
from biont.exceptions import StoreUnavailable
from biont.runtime.containment import contain_exit
from biont.runtime.plugin_tasks import current_plugin, make_context
from biont.runtime.task_problem import TaskProblem

TaskFunction = Callable[[], Awaitable[None]]

_log = structlog.get_logger("biont.runtime.background_tasks")


@dataclass(frozen=True)
class _Entry:
    name: str
    function: TaskFunction
    seconds: float
    plugin: str | None

    @property
    def key(self) -> tuple[str | None, str]:
        """Two plugins may give their tasks one name."""
        return self.plugin, self.name


class BackgroundTasks:
    """Periodic background tasks of one workbench.

    Tasks run side by side, but a task never runs twice at the same time. APScheduler decides
    when, by the machine's clock. Setting that clock back delays the next run; no background
    task depends on an exact time.

    Args:
        clock: stamps failures.

    Attributes:
        problems: the tasks whose latest run has failed, by plugin and name. A success removes the
            problem.
        on_change: called when `problems` has changed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.problems: dict[tuple[str | None, str], TaskProblem] = {}
        self.on_change: Callable[[], None] = lambda: None
        self._entries: list[_Entry] = []
        self._running: dict[tuple[str | None, str], asyncio.Task[None]] = {}

    def every(self, seconds: float, name: str, function: TaskFunction) -> None:
        """Register a task that runs at the start and then periodically; call from a `lifespan`.

        Args:
            seconds: the interval between two runs.
            name: the name in the log: ``audit.retention``.
            function: does the work. An exception is logged and shows in the health; the next run
                comes as usual.
        """
        self._entries.append(_Entry(name, function, seconds, current_plugin.get()))

    def forget(self, plugin: str) -> None:
        """Remove the tasks that a plugin has registered, because the plugin is in quarantine."""
        self._entries = [entry for entry in self._entries if entry.plugin != plugin]

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
        run = self._running.get(entry.key)
        if run is None or run.done():
            context = None if entry.plugin is None else make_context(entry.plugin)
            self._running[entry.key] = asyncio.create_task(self._run_entry(entry), context=context)

    async def _run_entry(self, entry: _Entry) -> None:
        log = _log.bind(task=entry.name, plugin=entry.plugin or "core")
        try:
            with contain_exit():
                await entry.function()
        except StoreUnavailable as error:
            log.warning("postponed: the store is unavailable", error=str(error))
            self._keep_problem(entry, error)
        except Exception as error:
            # A bug in one task must not stop the workbench.
            log.exception("background task failed")
            self._keep_problem(entry, error)
        else:
            if self.problems.pop(entry.key, None) is not None:
                self.on_change()

    def _keep_problem(self, entry: _Entry, error: Exception) -> None:
        earlier = self.problems.get(entry.key)
        since = self._clock.now() if earlier is None else earlier.since
        self.problems[entry.key] = TaskProblem.of(entry.plugin, entry.name, error, since)
        self.on_change()
