"""Event system: makes events durable, then delivers each event to every handler."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
from collections.abc import Callable, Mapping, Sequence

import structlog

from biont.event import Event, EventFactory, JsonObject
from biont.event_types import EventTypes
from biont.events.dead_letters import DeadLetters
from biont.events.handler_queue import HandlerQueue
from biont.events.handler_runner import CallPolicy, HandlerRunner
from biont.events.handlers import Handler, Subscription, on
from biont.events.intake import EventIntake
from biont.events.observation import (
    HandlerExplanation,
    HandlerLag,
    explain_handlers,
    measure_lags,
)
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
"""The pause between saves of positions, in seconds: a crash repeats the events of about the last
0.1 seconds."""

_log = structlog.get_logger("biont.events")


class EventSystem:
    """The event bus between all parts.

    An event that was acknowledged is never lost. Every handler sees the event at least
    once, with the same id each time. Handlers of one event are independent of one
    another. Across events there is no order, except for a handler with ``ordered=True``,
    which gets the events of a user one after the other.

    Args:
        store: where events become durable.
        factory: makes events.
        dead_letters: keeps the events that handlers have failed for good.
        lane_size: the most events in memory for each handler; or twice the handler's batch, if
            larger.
        timeout: the default limit of one call of a handler, in seconds.
        retry: the default waits before retries, in seconds.
        crash_limit: the number of crashes after which an event is a poison event.

    Attributes:
        dead_letters: the events that handlers have failed for good.
        intake: the gates for new events of clients.
    """

    on = staticmethod(on)

    def __init__(
        self,
        store: Store,
        factory: EventFactory,
        dead_letters: DeadLetters,
        *,
        lane_size: int,
        timeout: float,
        retry: Sequence[float],
        crash_limit: int = 3,
    ) -> None:
        self.dead_letters = dead_letters
        self.intake = EventIntake()
        self._store = store
        self._factory = factory
        self._lane_size = lane_size
        self._timeout = timeout
        self._retry = tuple(retry)
        self._crash_limit = crash_limit
        self._queues: dict[tuple[str, str], HandlerQueue] = {}
        self._transactional: dict[str, HandlerQueue] = {}
        self._subscriptions: dict[tuple[str, str], Subscription] = {}
        self._runners: list[HandlerRunner] = []
        self._saved: dict[tuple[str, str], int] = {}
        self._progress = asyncio.Event()
        self._saver: asyncio.Task[None] | None = None

    @property
    def event_types(self) -> EventTypes:
        """The declared event types; empty before plugins are loaded."""
        return self._factory.event_types or EventTypes({})

    async def measure_lags(self) -> list[HandlerLag]:
        """Return how far each handler is behind the newest event."""
        return await measure_lags(self._store, self._queues)

    async def explain_handlers(self, event: Event) -> list[HandlerExplanation]:
        """Return how far each handler is with an event."""
        return await explain_handlers(self._store, self._queues, self._subscriptions, event)

    async def emit(self, event_type: str, user_id: int, payload: JsonObject) -> Event:
        """Emit an event; return the event after the commit that makes the event durable.

        Raises:
            InvalidInput: the type or the payload cannot be stored.
            Conflict: the chain of events that led here is too long.
            StoreUnavailable: nothing was written; the same call may succeed later.
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
        """Start the handlers, first with the events that the last process left unhandled.

        Args:
            handlers: all handlers of the running plugins.
            waiting_plugins: the plugins in quarantine, whose events stay in the journal.
            was_killed: whether the last process was killed.
        """
        names = [handler.name for handler in handlers]
        await self._store.write(forget_positions, names, waiting_plugins)
        positions = await self._store.read(read_positions)
        last = await self._store.read(read_last_sequence)
        investigation = await self._investigate_crash(last) if was_killed else None
        for handler in handlers:
            # A new handler starts with the events to come.
            queue = self._make_queue(handler, positions.get(handler.name, last), last)
            guard = None
            if investigation is not None:
                guard = PoisonEventGuard(self._store, handler.name, investigation)
            self._add(handler, queue, guard)
        # Before the first event, so that a crash cannot lose the start of a new handler.
        await self._save_positions()
        self._connect_to_store(handlers, keep_all=bool(waiting_plugins))
        self._saver = asyncio.create_task(self._save_progress())
        for runner in self._runners:
            runner.start()
        self.dead_letters.start({name: queue for (_, name), queue in self._queues.items()})

    async def stop(self, time_left: Callable[[], float]) -> None:
        """Let running handlers end while there is time; other events wait in the journal.

        Args:
            time_left: returns the seconds that are left.
        """
        # First, because a replay puts new events into the queues.
        await self.dead_letters.stop()
        await asyncio.gather(*(runner.stop(time_left()) for runner in self._runners))
        if self._saver is not None:
            self._saver.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._saver
            await self._save_positions()
            # After a clean stop no event is suspect.
            await self._store.write(delete_marks)

    def _make_queue(self, handler: Handler, position: int, last: int) -> HandlerQueue:
        subscription = handler.subscription
        return HandlerQueue(
            functools.lru_cache(maxsize=1024)(subscription.matches),
            position,
            last,
            # Half of the size is for offered events, and has to hold a whole batch.
            max(self._lane_size, 2 * (subscription.batch or 0)),
            self._read_entries,
            self._progress.set,
            is_ordered=subscription.ordered,
        )

    async def _investigate_crash(self, last: int) -> CrashInvestigation:
        suspects = await self._store.write(take_suspects)
        return CrashInvestigation(suspects, last, self._lane_size, self._crash_limit)

    def _add(self, handler: Handler, queue: HandlerQueue, guard: PoisonEventGuard | None) -> None:
        subscription = handler.subscription
        policy = CallPolicy(
            timeout=self._timeout if subscription.timeout is None else subscription.timeout,
            retry=self._retry if subscription.retry is None else subscription.retry,
            chance=random.random,
        )
        runner = HandlerRunner(
            handler,
            queue,
            handler.handle or functools.partial(self._call_in_transaction, handler),
            policy,
            self.dead_letters,
            guard=guard,
        )
        self._queues[handler.plugin, handler.name] = queue
        self._subscriptions[handler.plugin, handler.name] = subscription
        if subscription.transactional:
            self._transactional[handler.name] = queue
        self._runners.append(runner)

    async def _call_in_transaction(self, handler: Handler, events: Sequence[Event]) -> None:
        """Call a transactional handler again, in a transaction of its own."""
        if handler.handle_in_transaction is not None:
            await self._store.transact(handler.handle_in_transaction, events)

    def _connect_to_store(self, handlers: Sequence[Handler], *, keep_all: bool) -> None:
        later = [each.subscription for each in handlers if not each.subscription.transactional]

        @functools.lru_cache(maxsize=1024)
        def is_awaited(event_type: str) -> bool:
            return keep_all or any(subscription.matches(event_type) for subscription in later)

        transactional = [handler for handler in handlers if handler.subscription.transactional]
        calls = TransactionalHandlers(transactional, is_awaited)
        self._store.set_transactional_handlers(calls.call)
        self._store.on_commit(self._offer)

    async def _read_entries(self, first: int, last: int, limit: int) -> Sequence[JournalEntry]:
        return await self._store.read(read_entries, first, last, limit)

    def _offer(
        self, entries: Sequence[JournalEntry], redelivered: Mapping[str, Sequence[JournalEntry]]
    ) -> None:
        event_types = {entry.event.event_type for entry in entries}
        for (_, name), queue in self._queues.items():
            offered = redelivered.get(name) if name in self._transactional else entries
            if offered and queue.wants(event_types):
                queue.offer(offered)
            queue.skip_to(entries[-1].sequence)

    async def _save_progress(self) -> None:
        while True:
            await self._progress.wait()
            await asyncio.sleep(_SAVE_INTERVAL)
            # Before the save, so that progress during the save causes another one.
            self._progress.clear()
            try:
                await self._save_positions()
            except StoreUnavailable as error:
                # After a crash, handlers see more events again, as "at least once" permits.
                _log.warning("positions of handlers not saved", error=str(error))
                self._progress.set()

    async def _save_positions(self) -> None:
        positions = {key: queue.position for key, queue in self._queues.items()}
        if positions and positions != self._saved:
            await self._store.write(save_positions, positions)
            self._saved = positions
