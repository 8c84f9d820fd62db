"""Deadline: a time limit for many short calls in a row, with few timers."""

from __future__ import annotations

import asyncio
from types import TracebackType

from biont.exceptions import BiontError
from biont.runtime.containment import refuse_exit


def get_current_task() -> asyncio.Task[object]:
    """Return the running task.

    Raises:
        BiontError: no task is running.
    """
    task = asyncio.current_task()
    if task is None:
        raise BiontError("no task is running; call this from a coroutine that a task runs")
    return task


class Deadline:
    """Context manager that raises `TimeoutError` when the block takes too long.

    A deadline works as `asyncio.timeout`, for one call after the other in the task that
    creates the deadline. Most calls end long before the limit, and a timer for each call would
    cost ten times a short call. So one timer serves many calls and is armed when it fires.

    A `CancelledError` without a request to cancel the task becomes a `BiontError`, because
    a call that awaits a cancelled task must not end the calling loop. An exception that would
    end the process, such as `SystemExit`, becomes a `PluginExit`.

    Args:
        seconds: the limit of each call.

    Raises:
        BiontError: no task is running.
    """

    def __init__(self, seconds: float) -> None:
        self._task = get_current_task()
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._due = 0.0
        self._is_running = False
        self._is_armed = False
        self._has_expired = False

    def __enter__(self) -> None:
        self._is_running = True
        self._due = self._loop.time() + self._seconds
        if not self._is_armed:
            self._is_armed = True
            self._loop.call_at(self._due, self._check)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_running = False
        if self._has_expired:
            self._expire(kind, error)
        elif kind is asyncio.CancelledError and not self._task.cancelling():
            raise BiontError("a task or future that the call awaited was cancelled") from error
        if error is not None:
            # No coroutine is closed while its task runs: the code itself raises the error.
            is_closed = kind is GeneratorExit and asyncio.current_task() is not self._task
            refuse_exit(error, is_async=kind is asyncio.CancelledError or is_closed)

    def _expire(self, kind: type[BaseException] | None, error: BaseException | None) -> None:
        self._has_expired = False
        # The task may have been cancelled from outside as well: then it stays cancelled.
        if self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise TimeoutError(f"took longer than {self._seconds:g} s") from error

    def _check(self) -> None:
        self._is_armed = False
        if not self._is_running:
            return
        if self._loop.time() >= self._due:
            self._has_expired = True
            self._task.cancel()
        else:  # the timer was armed for an earlier call
            self._is_armed = True
            self._loop.call_at(self._due, self._check)
