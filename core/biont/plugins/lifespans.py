"""Lifespans: the context of each plugin, open in a task of its own while the workbench runs.

A task of its own, because a task group or time limit inside a lifespan has to be closed by the
task that has opened it, and because a lifespan that hangs or ends is then noticed by its task.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import structlog

from biont.exceptions import PluginError
from biont.plugins.manager import describe_timeout
from biont.runtime.containment import contain_exit
from biont.runtime.plugin_tasks import make_context

_CANCEL_SECONDS = 1.0
"""Seconds that a cancelled lifespan gets to end."""

_BLOCK_SECONDS = 5.0
"""Seconds after the time limit, until the event loop counts as blocked."""

_log = structlog.get_logger("biont.plugins")


class PluginLifespan:
    """Lifespan of one plugin.

    Args:
        name: the name of the plugin.
        context: the context that the plugin's hook has returned.
        on_block: called, on a thread of its own, with the name of a plugin that blocks the event
            loop for longer than its time limit.
    """

    def __init__(
        self,
        name: str,
        context: AbstractAsyncContextManager[None],
        on_block: Callable[[str], None],
    ) -> None:
        self._name = name
        self._context = context
        self._on_block = on_block
        self._opened = asyncio.Event()
        self._close = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def open(self, seconds: float | None) -> None:
        """Open the context.

        Args:
            seconds: the time limit; None for no limit.

        Raises:
            PluginError: the context is not open after `seconds`.
        """
        task = self._task = asyncio.create_task(self._run(), context=make_context(self._name))
        opened = asyncio.create_task(self._opened.wait())
        timer = None if seconds is None else self._start_timer(seconds)
        try:
            await asyncio.wait({task, opened}, timeout=seconds, return_when="FIRST_COMPLETED")
            self._check_opened(task, seconds)
        except BaseException:
            await self._cancel()
            raise
        finally:
            if timer is not None:
                timer.cancel()
            opened.cancel()

    async def close(self, seconds: float) -> None:
        """Close the context; cancel the context after `seconds`, and log every error."""
        task = self._task
        if task is None:
            return
        self._close.set()
        await asyncio.wait({task}, timeout=max(seconds, _CANCEL_SECONDS))
        if not task.done():
            _log.error("the plugin has not stopped in time", plugin=self._name)
            await self._cancel()
            return
        with contextlib.suppress(Exception):  # logged by the task
            _read_result(task)

    def _start_timer(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds + _BLOCK_SECONDS, self._on_block, [self._name])
        timer.daemon = True
        timer.start()
        return timer

    def _check_opened(self, task: asyncio.Task[None], seconds: float | None) -> None:
        if task.done():
            _read_result(task)
        if seconds is not None and not self._opened.is_set():
            raise PluginError(describe_timeout(self._name, seconds))

    async def _cancel(self) -> None:
        task = self._task
        if task is not None and not task.done():
            task.cancel()
            # No `await task`: code that ignores the cancellation must not hold up the others.
            await asyncio.wait({task}, timeout=_CANCEL_SECONDS)

    async def _run(self) -> None:
        try:
            with contain_exit():
                async with self._context:
                    self._opened.set()
                    await self._close.wait()
        except Exception:
            if self._opened.is_set():
                _log.exception("the lifespan of the plugin has failed", plugin=self._name)
            raise


def _read_result(task: asyncio.Task[None]) -> None:
    if task.cancelled():
        raise PluginError("lifespan was cancelled by its own code")
    error = task.exception()
    if error is not None:
        raise error


def report_block(name: str) -> None:
    """Log that a plugin blocks the event loop."""
    _log.error("the plugin blocks the start", plugin=name, remedy=describe_block(name))


def describe_block(name: str) -> str:
    """Return a line that names the plugin whose lifespan blocks the event loop, and the remedy."""
    return (
        f"the plugin {name!r} blocks the start: its lifespan does not return to the event loop; "
        f"add {name!r} to plugins.disable"
    )
