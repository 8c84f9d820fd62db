"""Runs one handler over its lane: side by side, in time, again when it fails."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, cast

import structlog

from biont.event import Event, caused_by
from biont.events.handlers import BatchFunction, Handler, HandlerFunction
from biont.events.lane import Item, Lane
from biont.exceptions import StoreUnavailable

if TYPE_CHECKING:
    from biont.workbench import Workbench

Bury = Callable[[Handler, Item, str], Awaitable[None]]

_BURY_AGAIN = 5.0
"""The wait before a new try when the dead letter could not be stored, in seconds."""

_log = structlog.get_logger("biont.events")


class Runner:
    """Calls a handler for each event of its lane.

    Args:
        handler: what to call.
        lane: where its events come from.
        workbench: handed to each call.
        timeout: for one call, in seconds.
        retry: the wait before each new try, in seconds.
        bury: makes a dead letter of an event that the handler failed for good.
    """

    def __init__(
        self,
        handler: Handler,
        lane: Lane,
        workbench: Workbench,
        *,
        timeout: float,
        retry: Sequence[float],
        bury: Bury,
    ) -> None:
        self._handler = handler
        self._lane = lane
        self._workbench = workbench
        self._timeout = timeout
        self._retry = retry
        self._bury = bury
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self._idle: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to take events from the lane."""
        subscription = self._handler.subscription
        count = 1 if subscription.batch is not None else subscription.concurrency
        refill = asyncio.create_task(self._lane.refill())
        self._idle.add(refill)
        self._tasks = [refill, *(asyncio.create_task(self._work()) for _ in range(count))]

    async def stop(self, timeout: float) -> None:  # noqa: ASYNC109  # the calls share this one
        """Take no more events; let running calls end within `timeout` seconds."""
        self._stopping = True
        for task in self._idle:
            task.cancel()
        _, late = await asyncio.wait(self._tasks, timeout=timeout)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        while not self._stopping:
            await self._call(await self._wait_for_items())

    async def _wait_for_items(self) -> list[Item]:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # narrows the type for mypy
        self._idle.add(task)
        try:
            items = [await self._lane.get()]
            subscription = self._handler.subscription
            if subscription.batch is not None:
                if subscription.linger:
                    await asyncio.sleep(subscription.linger)
                items += self._lane.get_waiting(subscription.batch - 1)
            return items
        finally:
            self._idle.discard(task)

    async def _call(self, items: list[Item]) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await self._invoke(items)
        except Exception as error:  # noqa: BLE001  # a handler may raise anything; none is lost
            await self._fail(items, error)
        else:
            self._lane.finish(items)

    async def _invoke(self, items: Sequence[Item]) -> None:
        function = self._handler.function
        events = [item.entry.event for item in items]
        with caused_by(events[0]):
            if self._handler.subscription.batch is None:
                await cast("HandlerFunction", function)(events[0], self._workbench)
            else:
                await cast("BatchFunction", function)(events, self._workbench)

    async def _fail(self, items: list[Item], error: Exception) -> None:
        if len(items) > 1:
            # One of them may be what the handler cannot take: find out which.
            for item in items:
                await self._call([item])
            return
        (item,) = items
        item.attempts += 1
        event = item.entry.event
        log = _log.bind(handler=self._handler.name, event_id=event.id, attempts=item.attempts)
        if item.attempts <= len(self._retry):
            delay = self._retry[item.attempts - 1]
            log.warning("handler failed, will be retried", delay=delay, error=repr(error))
            self._put_back_later(item, delay)
            return
        log.error("handler failed for good", error=repr(error))
        try:
            await self._bury(self._handler, item, _describe(error))
        except StoreUnavailable:
            self._put_back_later(item, _BURY_AGAIN)
        else:
            self._lane.finish(items)

    def _put_back_later(self, item: Item, delay: float) -> None:
        asyncio.get_running_loop().call_later(delay, self._lane.put_back, item)


def _describe(error: Exception) -> str:
    return "".join(traceback.format_exception(error))


def describe_event(event: Event) -> dict[str, object]:
    """Return all of `event` as JSON, as a dead letter keeps it."""
    return {
        "id": event.id,
        "user_id": event.user_id,
        "event_type": event.event_type,
        "payload": event.payload,
        "created_at": event.created_at.isoformat(),
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        "hops": event.hops,
    }
