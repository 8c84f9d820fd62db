"""A time limit for each of many short calls, at the cost of a timer now and then."""

from __future__ import annotations

import asyncio
from types import TracebackType

from biont.exceptions import BiontError


class Deadline:
    """Ends with a `TimeoutError` what runs too long inside its ``with`` block.

    It is `asyncio.timeout` for one call after the other in the task that makes it:
    most calls are over long before, so one timer looks after many of them.

    A `CancelledError` that nobody has meant for the task becomes a `BiontError`: one
    call that awaits something cancelled is no reason to make no other calls.

    Args:
        seconds: how long a call may take.
    """

    def __init__(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # narrows the type for mypy
        self._task: asyncio.Task[object] = task
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._due = 0.0
        self._is_running = False
        self._is_armed = False
        self._has_struck = False

    def __enter__(self) -> None:
        self._is_running = True
        self._due = self._loop.time() + self._seconds
        if not self._is_armed:
            self._is_armed = True
            self._loop.call_at(self._due, self._look)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_running = False
        if not self._has_struck:
            if kind is asyncio.CancelledError and not self._task.cancelling():
                raise BiontError("something that it awaited was cancelled") from error
            return
        self._has_struck = False
        # Somebody else may have cancelled the task as well: that stays a cancellation.
        if self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise TimeoutError(f"took longer than {self._seconds:g} s") from error

    def _look(self) -> None:
        self._is_armed = False
        if not self._is_running:
            return
        if self._loop.time() >= self._due:
            self._has_struck = True
            self._task.cancel()
        else:
            self._is_armed = True
            self._loop.call_at(self._due, self._look)
