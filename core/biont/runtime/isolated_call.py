"""Calls on threads of their own, which a caller can stop waiting for.

A plugin's import or hook may never return, and Python cannot end a thread from outside. So such
a call gets a daemon thread. After the time limit the caller goes on, and the thread is asked to
end by an exception that Python raises in the thread's code. A loop in Python ends then. A thread
that blocks in a system call stays until the process ends, and costs nothing meanwhile.
"""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import threading
from collections.abc import Callable
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class Abandoned(BaseException):
    """Raised in the thread of a call whose caller no longer waits."""


class NotReturned(Exception):
    """A call has not returned within its time limit."""


class IsolatedCall(Generic[T]):
    """Call of a function on a daemon thread.

    Args:
        function: the function to call.
        name: the name of the thread.
    """

    def __init__(self, function: Callable[[], T], name: str) -> None:
        self._function = function
        self._context = contextvars.copy_context()
        self._result: T | None = None
        self._error: BaseException | None = None
        self._done = threading.Event()
        self._callback: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def call(self, seconds: float | None) -> T:
        """Return the result of the function.

        Args:
            seconds: the time limit; None for no limit.

        Raises:
            NotReturned: the function has not returned.
        """
        self._thread.start()
        if not self._done.wait(seconds):
            self._abandon()
            raise NotReturned
        return self._get_result()

    async def wait(self) -> T:
        """Return the result; the event loop runs meanwhile, and a cancelled caller goes on."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def report() -> None:
            # The loop may be closed, because the caller did not wait any longer.
            if not loop.is_closed():
                loop.call_soon_threadsafe(done.set)

        self._callback = report
        self._thread.start()
        await done.wait()
        return self._get_result()

    def _run(self) -> None:
        try:
            self._result = self._context.run(self._function)
        except BaseException as error:  # noqa: BLE001  # raised again where the result is read
            self._error = error
        self._done.set()
        self._callback()

    def _get_result(self) -> T:
        if self._error is not None:
            raise self._error
        return cast("T", self._result)

    def _abandon(self) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(self._thread.ident or 0), ctypes.py_object(Abandoned)
        )


async def call_in_thread(function: Callable[[], T], name: str) -> T:
    """Return the result of `function`, called on a daemon thread.

    Unlike the threads of `asyncio.to_thread`, the thread never holds up the end of the process.
    """
    return await IsolatedCall(function, name).wait()
