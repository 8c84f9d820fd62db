"""Containment: turns exceptions that would end the process into ordinary errors.

A plugin may call ``sys.exit`` or raise `KeyboardInterrupt`, on purpose or through a library.
Such an exception is no `Exception`. In an asyncio task it leaves the event loop, and on the thread
of the store it ends the thread. So all code of plugins is called inside `contain_exit`.

Two exceptions pass: `asyncio.CancelledError`, by which tasks are cancelled, and `GeneratorExit`,
by which Python closes a coroutine. A signal raises nothing here: the server handles signals in the
event loop, and commands call plugins on a thread of their own.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

from biont.exceptions import PluginExit

_PASSING = (Exception, asyncio.CancelledError, GeneratorExit)


class ContainExit:
    """Context manager that raises `PluginExit` instead of an exception that ends the process."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Enter the context."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Replace an exception that would end the process."""
        if error is not None:
            refuse_exit(error)


def contain_exit() -> ContainExit:
    """Return a context manager for the call of a plugin's code."""
    return ContainExit()


def refuse_exit(error: BaseException) -> None:
    """Raise `PluginExit` if `error` would end the process; let every other error pass.

    Raises:
        PluginExit: `error` would end the process.
    """
    if not isinstance(error, _PASSING):
        raise PluginExit(f"{error!r} was raised; a plugin must not end the process") from error
