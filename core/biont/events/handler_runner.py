"""Runs one handler over its lane: side by side, in time, again when it fails."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from biont.backoff import Backoff
from biont.event import set_cause
from biont.events.deadline import Deadline
from biont.events.handler_queue import HandlerQueue
from biont.events.handlers import Handle, Handler
from biont.events.poison_events import PoisonEvent, PoisonEventGuard
from biont.events.queues import Item
from biont.exceptions import StoreUnavailable
from biont.security.redaction import redact_secrets

_BURY_AGAIN = 5.0
"""The wait before a new try when the dead letter could not be stored, in seconds."""

_JITTER = 0.2
"""How much longer than said a wait may be, so that what failed together returns apart."""

_IN_A_ROW = 50
"""How many calls that wait for nothing may keep the event loop to themselves."""

_log = structlog.get_logger("biont.events")


@dataclass(frozen=True)
class CallPolicy:
    """On which terms a handler is called.

    Attributes:
        timeout: for one call, in seconds.
        retry: the wait before each new try, in seconds.
        chance: a random number from 0 to 1, for jitter.
    """

    timeout: float
    retry: Sequence[float]
    chance: Callable[[], float]


class HandlerRunner:
    """Calls a handler for each event of its lane.

    Args:
        handler: what to call.
        lane: where its events come from.
        handle: calls the handler for some events.
        terms: how long, and how often again.
        bury: makes a dead letter of an event that the handler failed for good.
        forget: drops the dead letter of an event whose replay was handled.
        guard: finds out which event ends the process; None when it was not killed.
    """

    def __init__(
        self,
        handler: Handler,
        lane: HandlerQueue,
        handle: Handle,
        terms: CallPolicy,
        *,
        bury: Callable[[Handler, Item, str], Awaitable[None]],
        forget: Callable[[Item], Awaitable[None]],
        guard: PoisonEventGuard | None = None,
    ) -> None:
        self._handler = handler
        self._lane = lane
        self._terms = terms
        self._bury = bury
        self._forget = forget
        self._guard = guard
        self._call_handler = handle
        subscription = handler.subscription
        self._batch = subscription.batch
        # One worker alone takes nobody's turn by taking several at once.
        self._limit = subscription.batch or (_IN_A_ROW if subscription.concurrency == 1 else 1)
        self._linger = subscription.linger
        self._stop = asyncio.Event()
        self._handled: list[Item] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._idle: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to take events from the lane."""
        fill = asyncio.create_task(self._lane.fill_gaps())
        self._idle.add(fill)
        count = self._handler.subscription.concurrency
        self._tasks = [fill, *(asyncio.create_task(self._work()) for _ in range(count))]

    async def stop(self, timeout: float) -> None:  # noqa: ASYNC109  # the calls share this one
        """Take no more events; let running calls end within `timeout` seconds."""
        self._stop.set()
        for task in self._idle:
            task.cancel()
        _, late = await asyncio.wait(self._tasks, timeout=timeout)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        deadline = Deadline(self._terms.timeout)
        while not self._stop.is_set():
            await self._wait()
            items = self._lane.take(self._limit)
            if self._batch is not None:
                await self._call(items, deadline)
                self._settle()
                continue
            for item in items:
                if self._stop.is_set():
                    break
                await self._call([item], deadline)
            self._settle()
            await asyncio.sleep(0)

    async def _wait(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # narrows the type for mypy
        self._idle.add(task)
        try:
            await self._lane.wait()
            if self._linger:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._lane.wait(self._limit), self._linger)
        finally:
            self._idle.discard(task)

    async def _call(self, items: list[Item], deadline: Deadline) -> None:
        if not items:
            return
        if self._guard is not None and any(map(self._guard.is_watching, items)):
            await self._call_watched(self._guard, items, deadline)
            return
        set_cause(items[0].event)
        try:
            with deadline:
                await self._call_handler([item.event for item in items])
        except Exception as error:  # noqa: BLE001  # a handler may raise anything; none is lost
            await self._fail(items, error, deadline)
        else:
            await self._finish(items)

    async def _call_watched(
        self, guard: PoisonEventGuard, items: list[Item], deadline: Deadline
    ) -> None:
        """Call the handler for one event after the other, each with a durable mark."""
        for item in items:
            try:
                async with guard.watch(item):
                    set_cause(item.event)
                    with deadline:
                        await self._call_handler([item.event])
            except PoisonEvent as error:
                await self._give_up(item, str(error))
            except Exception as error:  # noqa: BLE001  # as above
                await self._fail([item], error, deadline)
            else:
                await self._finish([item])

    async def _fail(self, items: list[Item], error: Exception, deadline: Deadline) -> None:
        if len(items) > 1:
            # One of them may be what the handler cannot take: find out which.
            for item in items:
                await self._call([item], deadline)
            return
        (item,) = items
        item.attempts += 1
        delay = Backoff(self._terms.retry, _JITTER).find_wait(item.attempts, self._terms.chance())
        if delay is None:
            _log.error("handler failed for good", error=repr(error), **self._name(item))
            await self._give_up(item, "".join(traceback.format_exception(error)))
            return
        _log.warning("handler failed", retry_in=delay, error=repr(error), **self._name(item))
        self._put_back_later(item, delay)

    def _name(self, item: Item) -> dict[str, object]:
        return {
            "handler": self._handler.name,
            "event_id": item.event.id,
            "attempts": item.attempts,
        }

    async def _give_up(self, item: Item, error: str) -> None:
        try:
            await self._bury(self._handler, item, redact_secrets(error))
        except StoreUnavailable:
            self._put_back_later(item, _BURY_AGAIN)
        else:
            self._let_go(item)

    def _let_go(self, item: Item) -> None:
        item.done = True
        self._handled.append(item)

    def _settle(self) -> None:
        """Give what was handled back to the lane, many at a time where calls are short."""
        handled, self._handled = self._handled, []
        self._lane.finish(handled)

    async def _finish(self, items: list[Item]) -> None:
        for item in items:
            self._let_go(item)
            if item.letter_id is not None:
                await self._forget(item)

    def _put_back_later(self, item: Item, delay: float) -> None:
        asyncio.get_running_loop().call_later(delay, self._lane.put_back, item)
