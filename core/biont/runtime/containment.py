"""Containment: turns exceptions that would end the process into ordinary errors.

A plugin may call ``sys.exit`` or raise `KeyboardInterrupt`, on purpose or through a library.
Such an exception is no `Exception`. In an asyncio task it leaves the event loop, and on the thread
of the store it ends the thread. So all code of plugins is called inside `contain_exit`.

Two exceptions pass, unless the code itself has raised the exception: `asyncio.CancelledError`, by
which tasks are cancelled, and `GeneratorExit`, by which Python closes a coroutine. The end of an
iteration, `StopIteration` or `StopAsyncIteration`, does not pass: it would end a loop of the
caller in silence. A signal raises nothing here: the server handles signals in the event loop, and
commands call plugins on a thread of their own.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TypeVar

from biont.exceptions import PluginExit

ErrorT = TypeVar("ErrorT", bound=BaseException)

_PASSING = (Exception, asyncio.CancelledError, GeneratorExit)
_REFUSED = (StopIteration, StopAsyncIteration)
_READ = ("__cause__", "__context__", "__traceback__", "__notes__", "sqlite_errorcode")


class ContainExit:
    """Context manager that raises `PluginExit` instead of an exception that ends the process."""

    __slots__ = ("_is_async", "_task")

    def __init__(self, *, is_async: bool) -> None:
        self._is_async = is_async
        self._task: asyncio.Task[object] | None = None

    def __enter__(self) -> None:
        """Enter the context."""
        if self._is_async:
            self._task = _find_task()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Replace an exception that would end the process."""
        if error is not None:
            refuse_exit(error, is_async=self._is_async and self._is_from_outside(error))

    def _is_from_outside(self, error: BaseException) -> bool:
        """Return whether a cancellation or a closed coroutine is the reason for `error`."""
        if issubclass(type(error), asyncio.CancelledError):
            return self._task is None or self._task.cancelling() > 0
        # No coroutine is closed while its task runs.
        return not issubclass(type(error), GeneratorExit) or _find_task() is not self._task


def contain_exit(*, is_async: bool = True) -> ContainExit:
    """Return a context manager for the call of a plugin's code.

    Args:
        is_async: whether the code runs in a task. Without a task nothing is cancelled or closed,
            so that the code itself has raised `asyncio.CancelledError` or `GeneratorExit`.
    """
    return ContainExit(is_async=is_async)


def refuse_exit(error: BaseException, *, is_async: bool = True) -> None:
    """Raise `PluginExit` if `error` would end the process; let every other error pass.

    Raises:
        PluginExit: `error` would end the process, or cannot be read.
    """
    kind = type(error)
    # By the type: `isinstance` also asks the attribute `__class__`, which may be broken.
    if not issubclass(kind, _PASSING if is_async else Exception) or issubclass(kind, _REFUSED):
        raise PluginExit(
            f"{describe_raised(error)} was raised; a plugin must not end the process, a task or a "
            "loop of its caller"
        ) from error
    replaced = make_readable(error)
    if replaced is not error:
        raise replaced from None


def _find_task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # a coroutine is closed without a running event loop
        return None


def make_readable(error: ErrorT) -> ErrorT | PluginExit:
    """Return `error`, or a `PluginExit` instead of an error whose attributes raise errors.

    Code that handles an error asks for its class, cause and attributes.
    """
    try:
        isinstance(error, ContainExit)
        for name in _READ:
            getattr(error, name, None)
    except BaseException:  # noqa: BLE001  # raised by code of the plugin
        return PluginExit(f"{type(error).__name__} was raised; its attributes cannot be read")
    return error


def describe_raised(error: BaseException) -> str:
    """Return `error` as Python code, such as ``SystemExit(1)``, or its type."""
    try:
        return repr(error)
    except BaseException:  # noqa: BLE001  # a broken `__repr__`
        return type(error).__name__
