"""Plugin tasks: attributes asyncio tasks to plugins, and reports tasks that die.

While code of a plugin runs, the context variable `current_plugin` has the plugin's name. A task
inherits the context of the code that creates the task, so each task knows its plugin. A task that
ends with an error which nobody awaits is a background task that has died: the error is logged with
the plugin's name, and stays in `PluginTasks.problems` until the plugin starts the task again.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import structlog

from biont.clock import Clock
from biont.runtime.task_problem import TaskProblem

T = TypeVar("T")

current_plugin: contextvars.ContextVar[str | None] = contextvars.ContextVar(
    "biont_plugin", default=None
)
"""The name of the plugin whose code runs; None for the core."""

_PATIENCE = 1.0
"""Seconds that the error of a task may stay unread: awaiting code needs a moment to read it."""

_log = structlog.get_logger("biont.runtime.plugin_tasks")


def make_context(plugin: str) -> contextvars.Context:
    """Return a copy of the present context in which `plugin` is the current plugin."""
    context = contextvars.copy_context()
    context.run(current_plugin.set, plugin)
    return context


class PluginTasks:
    """Tasks of all plugins on one event loop.

    Args:
        clock: stamps the death of a task.

    Attributes:
        problems: the tasks that have died, by plugin and name of the task.
        on_change: called when `problems` has changed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.problems: dict[tuple[str, str], TaskProblem] = {}
        self.on_change: Callable[[], None] = lambda: None
        self._plugins: WeakKeyDictionary[asyncio.Future[Any], str] = WeakKeyDictionary()

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Watch the tasks that the running event loop creates while the context is open."""
        loop = asyncio.get_running_loop()
        factory, handler = loop.get_task_factory(), loop.get_exception_handler()
        loop.set_task_factory(self._create_task)
        loop.set_exception_handler(self._log_error)
        try:
            yield
        finally:
            loop.set_task_factory(factory)
            loop.set_exception_handler(handler)

    def cancel(self, plugin: str) -> None:
        """Cancel all tasks of a plugin, because the plugin went into quarantine."""
        for task, owner in list(self._plugins.items()):
            if owner == plugin and isinstance(task, asyncio.Task):
                task.cancel()

    def _create_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, T] | Generator[Any, None, T],
        **options: Any,  # noqa: ANN401  # name, context and more, by the version of Python
    ) -> asyncio.Task[T]:
        # The signature of factories names generators for old event loops; none come here.
        task = asyncio.Task(cast("Coroutine[Any, Any, T]", coroutine), loop=loop, **options)
        context = options.get("context")
        plugin = current_plugin.get() if context is None else context.get(current_plugin)
        if plugin is not None:
            self._plugins[task] = plugin
            task.add_done_callback(self._check_end)
            if self.problems and self.problems.pop((plugin, _name_task(task)), None) is not None:
                self.on_change()
        return task

    def _check_end(self, task: asyncio.Task[Any]) -> None:
        # The private flag is the only way to learn that nobody has read the error: to ask for
        # the exception counts as reading.
        if getattr(task, "_log_traceback", False):
            task.get_loop().call_later(_PATIENCE, self._report, task)

    def _report(self, task: asyncio.Task[Any]) -> None:
        if not getattr(task, "_log_traceback", False):
            return
        error = task.exception()
        if error is None:
            return
        plugin, name = self._plugins.get(task, "core"), _name_task(task)
        _log.error("a background task has died", plugin=plugin, task=name, exc_info=error)
        self.problems[plugin, name] = TaskProblem.of(plugin, name, error, self._clock.now())
        self.on_change()

    def _log_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        task = context.get("task") or context.get("future")
        plugin = self._plugins.get(task) if isinstance(task, asyncio.Future) else None
        _log.error(
            "error in the event loop",
            problem=context.get("message"),
            plugin=plugin or current_plugin.get(),
            exc_info=context.get("exception"),
        )


def _name_task(task: asyncio.Task[Any]) -> str:
    function: Callable[..., object] | object = task.get_coro()
    return str(getattr(function, "__qualname__", task.get_name()))
