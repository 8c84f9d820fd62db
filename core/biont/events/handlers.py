"""Handlers: how a plugin says which events it wants, and on which terms."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, TypeVar

from biont.event import Event
from biont.exceptions import PluginError

if TYPE_CHECKING:
    from biont.workbench import Workbench

HandlerFunction = Callable[[Event, "Workbench"], Awaitable[None]]
BatchFunction = Callable[[Sequence[Event], "Workbench"], Awaitable[None]]
F = TypeVar("F", bound=Callable[..., Awaitable[None]])

_MARK = "__biont_subscription__"


@dataclass(frozen=True)
class Subscription:
    """What a handler asks for.

    Attributes:
        patterns: event types: exact, with a prefix (``task_*``), or ``*`` for all.
        batch: how many events one call gets at most; None hands over single events.
        linger: how long a batch may wait to fill, in seconds.
        concurrency: how many calls run side by side; one batch at a time always.
        timeout: how long a call may take, in seconds; None means the setting
            ``events.handler_timeout``.
        retry: how long to wait before each new try, in seconds; None means the
            setting ``events.handler_retry``. After the last one the event becomes
            a dead letter.
    """

    patterns: tuple[str, ...]
    batch: int | None = None
    linger: float = 0.0
    concurrency: int = 1
    timeout: float | None = None
    retry: tuple[float, ...] | None = None

    def matches(self, event_type: str) -> bool:
        """Say whether an event of this type is asked for."""
        return any(_matches(pattern, event_type) for pattern in self.patterns)


class On(Protocol):
    """The decorator that `on` returns: it marks a function and leaves it as it is."""

    def __call__(self, function: F) -> F:
        """Mark `function` as a handler."""
        ...


def on(
    *patterns: str,
    batch: int | None = None,
    linger: float = 0.0,
    concurrency: int = 1,
    timeout: float | None = None,
    retry: Sequence[float] | None = None,
) -> On:
    """Mark an async function as a handler of events.

    The function is called as ``await handler(event, workbench)``; with `batch`,
    the first argument is a list of events. Every event reaches it at least
    once, with the same id each time. Nothing happens until its plugin is loaded.

    Args:
        patterns: event types: exact, with a prefix (``task_*``), or ``*`` for all.
        batch: see `Subscription`, as for all that follow.
        linger: see `Subscription`.
        concurrency: see `Subscription`.
        timeout: see `Subscription`.
        retry: see `Subscription`.

    Raises:
        PluginError: a pattern is malformed, or none is given.
    """
    if not patterns:
        raise PluginError('on() needs an event type, as in @on("note_created")')
    for pattern in patterns:
        if "*" in pattern[:-1] or not pattern:
            raise PluginError(f"on({pattern!r}): '*' may stand only at the end")
    subscription = Subscription(
        patterns, batch, linger, concurrency, timeout, None if retry is None else tuple(retry)
    )

    def mark(function: F) -> F:
        is_async = inspect.iscoroutinefunction(function)
        if not is_async:
            raise PluginError(f"on() marks async functions; {function.__qualname__} is not one")
        setattr(function, _MARK, subscription)
        return function

    return mark


@dataclass(frozen=True)
class Handler:
    """A marked function of a loaded plugin."""

    plugin: str
    name: str
    function: HandlerFunction | BatchFunction
    subscription: Subscription


def collect_handlers(plugin: str, module: ModuleType) -> list[Handler]:
    """Return the handlers that `module` defines, in the order of their definition."""
    return [
        Handler(plugin, f"{plugin}.{name}", value, value.__dict__[_MARK])
        for name, value in vars(module).items()
        if inspect.isfunction(value) and _MARK in value.__dict__
    ]


def _matches(pattern: str, event_type: str) -> bool:
    if pattern.endswith("*"):
        return event_type.startswith(pattern[:-1])
    return pattern == event_type
