"""Handlers: how a plugin says which events it wants, and on which terms."""

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
Record = Callable[[Transaction, Sequence[Event]], None]
F = TypeVar("F", bound=Callable[..., Awaitable[None]] | Callable[..., None])

_TRANSACTIONAL_BATCH = 500
"""How many events a transactional handler gets at once when it catches up."""

_MARK = "__biont_subscription__"


@dataclass(frozen=True)
class Subscription:
    """What a handler asks for.

    Attributes:
        patterns: event types: exact, with a prefix (``task_*``), or ``*`` for all.
        batch: how many events one call gets at most; None hands over single events.
        linger: how long a batch may wait to fill, in seconds; a full one does not wait.
        concurrency: how many calls run side by side; one batch at a time always.
        timeout: how long a call may take, in seconds; None means the setting
            ``events.handler_timeout``.
        retry: how long to wait before each new try, in seconds, with up to a fifth more
            by chance; None means the setting ``events.handler_retry``. After the last
            one the event becomes a dead letter.
        ordered: whether a user's events come one after the other, in the order of
            their commits: the next one when the one before was handled, or failed
            for good.
        transactional: whether the function runs inside the transaction that makes the
            events durable.
        again: what a transactional handler wants called instead of itself with events
            that it has failed, deferred or missed.
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
        """Say whether an event of this type is asked for."""
        return find_pattern(self.patterns, event_type) is not None


class On(Protocol):
    """The decorator that `on` returns: it marks a function and leaves it as it is."""

    def __call__(self, function: F) -> F:
        """Mark `function` as a handler."""
        ...


def on(  # noqa: PLR0913  # each is a term that a handler may ask for
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
    `batch`, the first argument is a list of events. Every event reaches it at least
    once, with the same id each time. Nothing happens until its plugin is loaded.

    With `transactional` the function is a plain one, called as
    ``handler(transaction, events, workbench)`` on the writing thread, inside the
    transaction that makes `events` durable: what it writes is committed with them or
    not at all. It has to be quick, since everybody who emits waits for it, and may not
    emit. When it raises, the events are committed without it, and it gets them again
    as any handler would: at least once, up to `batch` in one write. The others may then
    be called a second time, and what they wrote at first is undone. What may wait it
    hands to `biont.Transaction.defer`, and gets that again too.

    Args:
        patterns: event types: exact, with a prefix (``task_*``), or ``*`` for all.
        batch: see `Subscription`, as for all that follow.
        linger: see `Subscription`.
        concurrency: see `Subscription`.
        timeout: see `Subscription`.
        retry: see `Subscription`.
        ordered: see `Subscription`.
        transactional: see `Subscription`.
        again: see `Subscription`; async, and takes a list of events.

    Raises:
        PluginError: a pattern is malformed, none is given, or the rest does not fit
            together.
    """
    _check_patterns(patterns)
    if again is not None and not transactional:
        raise PluginError("on(again=...): only a transactional handler sees events again")
    if ordered and batch is not None:
        raise PluginError("on(ordered=True, batch=...): ordered handlers take single events")
    if transactional and (ordered or concurrency != 1):
        raise PluginError("on(transactional=True) goes without ordered and concurrency")
    subscription = Subscription(
        patterns,
        (batch or _TRANSACTIONAL_BATCH) if transactional else batch,
        linger,
        concurrency if batch is None else 1,
        timeout,
        None if retry is None else tuple(retry),
        ordered,
        transactional,
        again,
    )

    def mark(function: F) -> F:
        if inspect.iscoroutinefunction(function) == transactional:
            kind = "plain functions when transactional" if transactional else "async functions"
            raise PluginError(f"on() marks {kind}; {function.__qualname__} is not one")
        setattr(function, _MARK, subscription)
        return function

    return mark


def _check_patterns(patterns: Sequence[str]) -> None:
    if not patterns:
        raise PluginError('on() needs an event type, as in @on("note_created")')
    for pattern in patterns:
        if not is_pattern(pattern):
            raise PluginError(f"on({pattern!r}): '*' may stand only at the end")


@dataclass(frozen=True)
class Handler:
    """A marked function of a loaded plugin, bound to the object that it is called with.

    Attributes:
        plugin: the name of the plugin.
        name: ``plugin.function``.
        subscription: the parameters of its `on`.
        function: the marked function itself.
        handle: handles some events: a single event, unless the subscription has a batch.
            None for a transactional handler without `again`.
        record: of a transactional handler: takes part in the transaction of new events.
    """

    plugin: str
    name: str
    subscription: Subscription
    function: Callable[..., object]
    handle: Handle | None
    record: Record | None = None


def collect_handlers(plugin: str, module: ModuleType, context: object) -> list[Handler]:
    """Return the handlers that `module` defines, in the order of their definition.

    Args:
        plugin: the name of the plugin.
        module: the plugin.
        context: the last argument of each call of a handler.
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
    record: Record | None = None
    if subscription.transactional:
        record = lambda transaction, events: function(transaction, events, context)  # noqa: E731
        handle = None if again is None else lambda events: again(events, context)
    elif subscription.batch is not None:
        handle = lambda events: function(events, context)  # noqa: E731
    else:
        handle = lambda events: function(events[0], context)  # noqa: E731
    return Handler(plugin, f"{plugin}.{name}", subscription, function, handle, record)
