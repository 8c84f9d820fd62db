"""The event system: events become durable, then every handler gets them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
from collections.abc import Callable, Mapping, Sequence

import structlog

from biont.clock import Clock
from biont.event import Event, EventFactory, JsonObject
from biont.event_types import EventTypes
from biont.events.dead_letters import DeadLetters
from biont.events.handler_queue import HandlerQueue
from biont.events.handler_runner import CallPolicy, HandlerRunner
from biont.events.handlers import Handler, on
from biont.events.poison_events import CrashInvestigation, PoisonEventGuard
from biont.events.transactional_handlers import TransactionalHandlers
from biont.exceptions import StoreUnavailable
from biont.store.crash_marks import delete_marks, take_suspects
from biont.store.journal import (
    JournalEntry,
    forget_positions,
    read_entries,
    read_last_sequence,
    read_positions,
    save_positions,
)
from biont.store.store import Store

_SAVE_INTERVAL = 0.1
"""How often progress is stored, in seconds: what a crash makes handlers see twice."""

_log = structlog.get_logger("biont.events")


class EventSystem:
    """The bus between all parts.

    An event that was acknowledged is never lost. Every handler sees it at least
    once, with the same id each time. Handlers of one event are independent of
    one another. Across events there is no order, unless a handler asks for it by
    ``ordered=True``: then a user's events come to it one after the other.

    Args:
        store: where events become durable.
        factory: makes events.
        clock: stamps dead letters.
        lane_size: how many events a handler holds in memory.
        timeout: for one call of a handler that names none, in seconds.
        retry: the waits before new tries of a handler that names none, in seconds.
        crash_limit: how often the process may die over one event of a handler.

    Attributes:
        dead_letters: what handlers have failed for good.
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
        crash_limit: int = 3,
    ) -> None:
        self.dead_letters = DeadLetters(store, clock)
        self._store = store
        self._factory = factory
        self._lane_size = lane_size
        self._timeout = timeout
        self._retry = tuple(retry)
        self._crash_limit = crash_limit
        self._lanes: dict[tuple[str, str], HandlerQueue] = {}
        self._recorded: dict[str, HandlerQueue] = {}
        self._runners: list[HandlerRunner] = []
        self._saved: dict[tuple[str, str], int] = {}
        self._progress = asyncio.Event()
        self._saver: asyncio.Task[None] | None = None

    @property
    def event_types(self) -> EventTypes:
        """The declared event types; without declarations, before plugins are loaded, none."""
        return self._factory.event_types or EventTypes({})

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
        self,
        handlers: Sequence[Handler],
        *,
        waiting_plugins: Sequence[str],
        was_killed: bool = False,
    ) -> None:
        """Begin to hand events over, first those that a former run left unhandled.

        Args:
            handlers: all handlers of the plugins that run.
            waiting_plugins: those in quarantine, whose events are kept for them.
            was_killed: whether the former run did not end by itself.
        """
        names = [handler.name for handler in handlers]
        await self._store.write(_forget, names, waiting_plugins)
        positions = await self._store.read(read_positions)
        last = await self._store.read(read_last_sequence)
        inquiry = await self._open_inquiry(last) if was_killed else None
        for handler in handlers:
            # A handler that is new here begins with the events to come.
            lane = self._make_lane(handler, positions.get(handler.name, last), last)
            guard = None
            if inquiry is not None:
                guard = PoisonEventGuard(self._store, handler.name, inquiry)
            self._add(handler, lane, guard)
        await self._save_positions()
        self._take_part_in_commits(handlers, keep_all=bool(waiting_plugins))
        self._saver = asyncio.create_task(self._save_progress())
        for runner in self._runners:
            runner.start()
        self.dead_letters.start({name: lane for (_, name), lane in self._lanes.items()})

    async def stop(self, time_left: Callable[[], float]) -> None:
        """Let running handlers end while there is time; what is left waits in the journal.

        Args:
            time_left: how many seconds it may take.
        """
        await self.dead_letters.stop()
        await asyncio.gather(*(runner.stop(time_left()) for runner in self._runners))
        if self._saver is not None:
            self._saver.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._saver
            await self._save_positions()
            await self._store.write(_clear_marks)

    def _make_lane(self, handler: Handler, position: int, last: int) -> HandlerQueue:
        subscription = handler.subscription
        return HandlerQueue(
            functools.lru_cache(maxsize=1024)(subscription.matches),
            position,
            last,
            max(self._lane_size, 2 * (subscription.batch or 0)),
            self._read_entries,
            self._progress.set,
            is_ordered=subscription.ordered,
        )

    async def _open_inquiry(self, last: int) -> CrashInvestigation:
        suspects = await self._store.write(_take_suspects)
        return CrashInvestigation(suspects, last, self._lane_size, self._crash_limit)

    def _add(self, handler: Handler, lane: HandlerQueue, guard: PoisonEventGuard | None) -> None:
        subscription = handler.subscription
        terms = CallPolicy(
            timeout=self._timeout if subscription.timeout is None else subscription.timeout,
            retry=self._retry if subscription.retry is None else subscription.retry,
            chance=random.random,
        )
        runner = HandlerRunner(
            handler,
            lane,
            handler.handle or functools.partial(self._record, handler),
            terms,
            bury=self.dead_letters.bury,
            forget=self.dead_letters.forget,
            guard=guard,
        )
        self._lanes[handler.plugin, handler.name] = lane
        if subscription.transactional:
            self._recorded[handler.name] = lane
        self._runners.append(runner)

    async def _record(self, handler: Handler, events: Sequence[Event]) -> None:
        """Call a transactional handler in a transaction of its own."""
        if handler.record is not None:
            await self._store.transact(handler.record, events)

    def _take_part_in_commits(self, handlers: Sequence[Handler], *, keep_all: bool) -> None:
        later = [found.subscription for found in handlers if not found.subscription.transactional]

        @functools.lru_cache(maxsize=1024)
        def is_awaited(event_type: str) -> bool:
            return keep_all or any(subscription.matches(event_type) for subscription in later)

        at_once = [handler for handler in handlers if handler.subscription.transactional]
        self._store.record_with(TransactionalHandlers(at_once, is_awaited).record)
        self._store.on_append(self._offer)

    async def _read_entries(self, first: int, last: int, limit: int) -> Sequence[JournalEntry]:
        return await self._store.read(read_entries, first, last, limit)

    def _offer(
        self, entries: Sequence[JournalEntry], again: Mapping[str, Sequence[JournalEntry]]
    ) -> None:
        event_types = {entry.event.event_type for entry in entries}
        for (_, name), lane in self._lanes.items():
            offered = again.get(name) if name in self._recorded else entries
            if offered and lane.wants(event_types):
                lane.offer(offered)
            lane.pass_over(entries[-1].sequence)

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


def _forget(names: Sequence[str], waiting_plugins: Sequence[str]) -> None:
    forget_positions(names, waiting_plugins)


def _save(positions: dict[tuple[str, str], int]) -> None:
    save_positions(positions)


def _clear_marks() -> None:
    delete_marks()


def _take_suspects() -> dict[tuple[str, str], int]:
    return take_suspects()
