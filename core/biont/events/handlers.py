"""Handlers: the decorator `on` that marks them, and the marked functions of a plugin."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol, TypeVar

from biont.event import Event
from biont.event_patterns import find_pattern, is_pattern
from biont.exceptions import PluginError
from biont.store.transaction import Transaction

Handle = Callable[[Sequence[Event]], Awaitable[None]]
HandleInTransaction = Callable[[Transaction, Sequence[Event]], None]
F = TypeVar("F", bound=Callable[..., Awaitable[None]] | Callable[..., None])

_TRANSACTIONAL_BATCH = 500
"""The most events in one call of a transactional handler that catches up."""

_MARK = "__biont_subscription__"


@dataclass(frozen=True)
class Subscription:
    """The parameters of a handler's `on`.

    Attributes:
        patterns: event types: exact, with a prefix (``task_*``), or ``*`` for all.
        batch: the most events in one call; None passes a single event instead of a list.
        linger: the longest time that a batch waits to fill, in seconds.
        concurrency: the most calls at the same time; always 1 with `batch`.
        timeout: the limit of a call, in seconds; None means the setting
            ``events.handler_timeout``.
        retry: the wait before each retry, in seconds, lengthened by up to a fifth at
            random; None means the setting ``events.handler_retry``. After the last retry
            the event becomes a dead letter.
        ordered: whether the events of a user come one after the other, in the order of
            commits: the next event follows when the handler has handled the event before,
            or failed that event for good.
        transactional: whether the function runs inside the transaction that makes the
            events durable.
        again: an async function that is called, instead of a transactional handler, with
            events that the handler has failed, deferred or missed.
    """

    patterns: tuple[str, ...]
    batch: int | None = None
    linger: float = 0.0
    concurrency: int = 1
    timeout: float | None = None
    retry: tuple[float, ...] | None = None
    ordered: bool = False
    transactional: bool = False
    again: Callable[..., Awaitable[None]] | None = None

    def matches(self, event_type: str) -> bool:
        """Return whether a pattern matches this event type."""
        return find_pattern(self.patterns, event_type) is not None


class On(Protocol):
    """The decorator that `on` returns: marks a function and returns the same function."""

    def __call__(self, function: F) -> F:
        """Mark `function` as a handler."""
        ...


def on(  # noqa: PLR0913  # each is an option of a handler
    *patterns: str,
    batch: int | None = None,
    linger: float = 0.0,
    concurrency: int = 1,
    timeout: float | None = None,
    retry: Sequence[float] | None = None,
    ordered: bool = False,
    transactional: bool = False,
    again: Callable[..., Awaitable[None]] | None = None,
) -> On:
    """Mark a function as a handler of events.

    The function is async and called as ``await handler(event, workbench)``; with
    `batch`, the first argument is a list of events. Every event reaches the handler at
    least once, with the same id each time. Nothing happens until the plugin is loaded.

    With `transactional` the function is not async and is called as
    ``handler(transaction, events, workbench)`` on the writing thread, inside the
    transaction that makes `events` durable: the changes of the handler are committed
    together with the events or not at all. The handler has to be fast, because every
    emitting caller waits, and must not emit. When the handler raises, the events are
    committed without its changes, and the handler gets the events again like any other
    handler: at least once, up to `batch` in one transaction. Other transactional handlers
    may then be called a second time; the changes of the first call are undone. Work that
    may wait is deferred by `biont.Transaction.defer`, which redelivers the event.

    Args:
        patterns: event types: exact, with a prefix (``task_*``), or ``*`` for all.
        batch: see `Subscription`, also for the other arguments.
        linger: see `Subscription`.
        concurrency: see `Subscription`.
        timeout: see `Subscription`.
        retry: see `Subscription`.
        ordered: see `Subscription`.
        transactional: see `Subscription`.
        again: see `Subscription`; an async function that takes a list of events.

    Raises:
        PluginError: a pattern is malformed or missing, the options exclude each other, or the
            function cannot be called with the arguments above.
    """
    _check_patterns(patterns)
    subscription = Subscription(
        patterns,
        (batch or _TRANSACTIONAL_BATCH) if transactional else batch,
        linger,
        # One batch at a time: a second worker would only take events from the next batch.
        concurrency if batch is None else 1,
        timeout,
        None if retry is None else tuple(retry),
        ordered,
        transactional,
        again,
    )
    _check_options(subscription, concurrency)

    def mark(function: F) -> F:
        # The writing thread cannot await, and the event loop must not run a blocking function.
        if inspect.iscoroutinefunction(function) == transactional:
            kind = "plain functions when transactional" if transactional else "async functions"
            raise PluginError(f"on() marks {kind}; {function.__qualname__} is not one")
        _check_arguments(function, _name_arguments(subscription))
        # A mark instead of a registry: an import registers nothing, and two workbenches can
        # use one module.
        setattr(function, _MARK, subscription)
        return function

    return mark


def _name_arguments(subscription: Subscription) -> Sequence[str]:
    if subscription.transactional:
        return ("transaction", "events", "workbench")
    return ("event" if subscription.batch is None else "events", "workbench")


def _check_arguments(function: Callable[..., object], names: Sequence[str]) -> None:
    try:
        inspect.signature(function).bind(*names)
    except TypeError as error:
        call = f"{function.__name__}({', '.join(names)})"
        raise PluginError(
            f"on() marks functions that are called as {call}; "
            f"{function.__qualname__}{inspect.signature(function)} is not one"
        ) from error


def _check_options(subscription: Subscription, concurrency: int) -> None:
    if subscription.transactional:
        if subscription.ordered or concurrency != 1:
            raise PluginError("on(transactional=True) excludes ordered and concurrency")
        if subscription.again is not None:
            _check_arguments(subscription.again, ("events", "workbench"))
    elif subscription.again is not None:
        raise PluginError("on(again=...) needs transactional=True")
    elif subscription.ordered and subscription.batch is not None:
        raise PluginError("on(ordered=True) excludes batch")


def _check_patterns(patterns: Sequence[str]) -> None:
    if not patterns:
        raise PluginError('on() needs an event type, as in @on("note_created")')
    for pattern in patterns:
        if not is_pattern(pattern):
            raise PluginError(f"on({pattern!r}): '*' may stand only at the end")


@dataclass(frozen=True)
class Handler:
    """A marked function of a loaded plugin, with the last argument of each call bound.

    Attributes:
        plugin: the name of the plugin.
        name: ``plugin.function``.
        subscription: the parameters of `on`.
        function: the marked function.
        handle: handles a list of events, which has one event unless the subscription has a
            batch. None for a transactional handler without `again`.
        handle_in_transaction: handles new events inside their transaction; None for a
            handler that is not transactional.
    """

    plugin: str
    name: str
    subscription: Subscription
    function: Callable[..., object]
    handle: Handle | None
    handle_in_transaction: HandleInTransaction | None = None


def collect_handlers(plugin: str, module: ModuleType, context: object) -> list[Handler]:
    """Return the handlers that `module` defines, in the order of definition.

    Args:
        plugin: the name of the plugin.
        module: the module of the plugin.
        context: the last argument of each call.
    """
    return [
        _bind(plugin, name, value, context)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and _MARK in value.__dict__
    ]


def _bind(plugin: str, name: str, function: Callable[..., Any], context: object) -> Handler:
    subscription: Subscription = function.__dict__[_MARK]
    again = subscription.again
    handle: Handle | None = None
    in_transaction: HandleInTransaction | None = None
    if subscription.transactional:
        in_transaction = lambda transaction, events: function(transaction, events, context)  # noqa: E731
        handle = None if again is None else lambda events: again(events, context)
    elif subscription.batch is not None:
        handle = lambda events: function(events, context)  # noqa: E731
    else:
        handle = lambda events: function(events[0], context)  # noqa: E731
    return Handler(plugin, f"{plugin}.{name}", subscription, function, handle, in_transaction)
