"""The event system: events become durable, then every handler gets them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import orjson
import structlog

from biont.clock import Clock
from biont.event import Event, EventFactory, JsonObject
from biont.events.handlers import Handler, on
from biont.events.lane import Item, Lane
from biont.events.runner import Runner, describe_event
from biont.exceptions import StoreUnavailable
from biont.store import DeadLetter, Entry, Store, Transaction
from biont.store.journal import (
    forget_positions,
    read_entries,
    read_last_sequence,
    read_positions,
    save_positions,
)

if TYPE_CHECKING:
    from biont.workbench import Workbench

_SAVE_INTERVAL = 0.1
"""How often progress is stored, in seconds: what a crash makes handlers see twice."""

_log = structlog.get_logger("biont.events")


class EventSystem:
    """The bus between all parts.

    An event that was acknowledged is never lost. Every handler sees it at least
    once, with the same id each time. Handlers of one event are independent of
    one another. Across events there is no order.

    Args:
        store: where events become durable.
        factory: makes events.
        clock: stamps dead letters.
        lane_size: how many events a handler holds in memory.
        timeout: for one call of a handler that names none, in seconds.
        retry: the waits before new tries of a handler that names none, in seconds.
    """

    on = staticmethod(on)

    def __init__(
        self,
        store: Store,
        factory: EventFactory,
        clock: Clock,
        *,
        lane_size: int,
        timeout: float,
        retry: Sequence[float],
    ) -> None:
        self._store = store
        self._factory = factory
        self._clock = clock
        self._lane_size = lane_size
        self._timeout = timeout
        self._retry = tuple(retry)
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._runners: list[Runner] = []
        self._saved: dict[tuple[str, str], int] = {}
        self._progress = asyncio.Event()
        self._saver: asyncio.Task[None] | None = None

    async def emit(self, event_type: str, user_id: int, payload: JsonObject) -> Event:
        """Return the new event once it is durable.

        Raises:
            InvalidInput: the type or the payload cannot be stored.
            Conflict: the chain of events that led here is too long.
            StoreUnavailable: it was not recorded; the same call may succeed later.
        """
        event = self._factory.make(event_type, user_id, payload)
        await self._store.append(event)
        return event

    async def start(
        self, handlers: Sequence[Handler], workbench: Workbench, *, waiting_plugins: Sequence[str]
    ) -> None:
        """Begin to hand events over, first those that a former run left unhandled.

        Args:
            handlers: all handlers of the plugins that run.
            workbench: handed to each call.
            waiting_plugins: those in quarantine, whose events are kept for them.
        """
        names = [handler.name for handler in handlers]
        await self._store.write(_forget, names, waiting_plugins)
        positions = await self._store.read(read_positions)
        last = await self._store.read(read_last_sequence)
        for handler in handlers:
            # A handler that is new here begins with the events to come.
            self._add(handler, positions.get(handler.name, last), workbench)
        await self._save_positions()
        self._store.on_append(self._offer)
        self._store.on_foreign_change(self._catch_up)
        self._saver = asyncio.create_task(self._save_progress())
        for runner in self._runners:
            runner.start()

    async def stop(self, time_left: Callable[[], float]) -> None:
        """Let running handlers end while there is time; what is left waits in the journal.

        Args:
            time_left: how many seconds it may take.
        """
        await asyncio.gather(*(runner.stop(time_left()) for runner in self._runners))
        if self._saver is not None:
            self._saver.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._saver
            await self._save_positions()

    def _add(self, handler: Handler, position: int, workbench: Workbench) -> None:
        subscription = handler.subscription
        lane = Lane(
            functools.lru_cache(maxsize=1024)(subscription.matches),
            position,
            max(self._lane_size, subscription.batch or 0),
            self._read_after,
            self._progress.set,
        )
        runner = Runner(
            handler,
            lane,
            workbench,
            timeout=self._timeout if subscription.timeout is None else subscription.timeout,
            retry=self._retry if subscription.retry is None else subscription.retry,
            bury=self._bury,
        )
        self._lanes[handler.plugin, handler.name] = lane
        self._runners.append(runner)

    async def _read_after(self, sequence: int, limit: int) -> Sequence[Entry]:
        return await self._store.read(read_entries, sequence, limit)

    def _offer(self, entries: Sequence[Entry]) -> None:
        for lane in self._lanes.values():
            lane.offer(entries)

    def _catch_up(self) -> None:
        for lane in self._lanes.values():
            lane.catch_up()

    async def _bury(self, handler: Handler, item: Item, error: str) -> None:
        await self._store.write(_insert_dead_letter, handler.name, item, error, self._clock)

    async def _save_progress(self) -> None:
        while True:
            await self._progress.wait()
            await asyncio.sleep(_SAVE_INTERVAL)
            self._progress.clear()
            try:
                await self._save_positions()
            except StoreUnavailable as error:
                # What is not stored is handled again after a restart, no worse.
                _log.warning("progress of handlers not stored", error=str(error))
                self._progress.set()

    async def _save_positions(self) -> None:
        positions = {key: lane.position for key, lane in self._lanes.items()}
        if positions and positions != self._saved:
            await self._store.write(_save, positions)
            self._saved = positions


def _forget(_: Transaction, names: Sequence[str], waiting_plugins: Sequence[str]) -> None:
    forget_positions(names, waiting_plugins)


def _save(_: Transaction, positions: dict[tuple[str, str], int]) -> None:
    save_positions(positions)


def _insert_dead_letter(
    _: Transaction, handler: str, item: Item, error: str, clock: Clock
) -> None:
    event = item.entry.event
    DeadLetter.create(
        handler=handler,
        event_id=event.id,
        event_type=event.event_type,
        user_id=event.user_id,
        event=orjson.dumps(describe_event(event)).decode(),
        error=error,
        attempts=item.attempts,
        failed_at=clock.now(),
    )
