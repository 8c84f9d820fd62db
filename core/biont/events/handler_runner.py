"""Handler runner: calls one handler for the events of its queue.

    taken --call returns--> done
      |----call raises or times out--> put back after a delay of the call policy
      |----the last retry fails------> dead letter saved --> done
      |----the user was deleted------> dropped --> done
      |----poison event--------------> dead letter saved --> done

A batch that fails is repeated event by event, to find the event that the handler cannot
handle. A dead letter that cannot be saved is tried again: an event is never dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from biont.backoff import Backoff
from biont.event import set_cause
from biont.events.dead_letters import DeadLetters
from biont.events.deadline import Deadline, get_current_task
from biont.events.handler_queue import HandlerQueue
from biont.events.handlers import Handle, Handler
from biont.events.poison_events import PoisonEvent, PoisonEventGuard
from biont.events.ready_queues import QueuedEvent
from biont.exceptions import StoreUnavailable
from biont.runtime.plugin_tasks import make_context
from biont.security.error_texts import describe_exception, format_traceback

_DEAD_LETTER_RETRY = 5.0
"""The wait before the next try when the dead letter could not be saved, in seconds."""

_MARK_RETRY = 5.0
"""The wait before the next try when the mark of a watched event could not be saved, in seconds."""

_LOGGED_REASON = 1000
"""The longest text of an error in the log, in characters; the dead letter has the traceback."""

_JITTER = 0.2
"""The most that a wait is lengthened by chance, so that calls that failed together spread."""

_IN_A_ROW = 50
"""The most calls without a pause for the event loop, when no call has to wait."""

_log = structlog.get_logger("biont.events")


@dataclass(frozen=True)
class CallPolicy:
    """The time limit and the retries of a handler.

    Attributes:
        timeout: the limit of one call, in seconds.
        retry: the wait before each retry, in seconds.
        chance: returns a random number from 0 to 1, for jitter.
    """

    timeout: float
    retry: Sequence[float]
    chance: Callable[[], float]


class HandlerRunner:
    """Calls a handler for each event of its queue.

    Args:
        handler: the handler.
        queue: the queue of the handler.
        handle: calls the handler for some events.
        policy: the time limit and the retries.
        dead_letters: keeps the events that the handler failed for good.
        guard: detects poison events; None after a clean stop.
    """

    def __init__(
        self,
        handler: Handler,
        queue: HandlerQueue,
        handle: Handle,
        policy: CallPolicy,
        dead_letters: DeadLetters,
        *,
        guard: PoisonEventGuard | None = None,
    ) -> None:
        self._handler = handler
        self._queue = queue
        self._policy = policy
        self._dead_letters = dead_letters
        self._guard = guard
        self._call_handler = handle
        subscription = handler.subscription
        self._batch = subscription.batch
        # With several workers each takes a single event, so that an idle worker gets the next.
        self._limit = subscription.batch or (_IN_A_ROW if subscription.concurrency == 1 else 1)
        self._linger = subscription.linger
        self._stop = asyncio.Event()
        self._handled: list[QueuedEvent] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._idle: set[asyncio.Task[object]] = set()

    def start(self) -> None:
        """Start the workers."""
        fill = asyncio.create_task(self._queue.fill_gaps())
        # Reading the journal is no call: `stop` cancels the read at once.
        self._idle.add(fill)
        count = self._handler.subscription.concurrency
        context = make_context(self._handler.plugin)
        workers = [asyncio.create_task(self._work(), context=context) for _ in range(count)]
        self._tasks = [fill, *workers]

    async def stop(self, timeout: float) -> None:  # noqa: ASYNC109  # all calls share the limit
        """Take no more events; cancel the calls that still run after `timeout` seconds."""
        self._stop.set()
        # Only tasks outside a call: a worker inside a call ends by itself after the call.
        for task in self._idle:
            task.cancel()
        _, late = await asyncio.wait(self._tasks, timeout=timeout)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        deadline = Deadline(self._policy.timeout)
        while not self._stop.is_set():
            await self._wait()
            items = self._queue.take(self._limit)
            if self._batch is not None:
                await self._call(items, deadline)
                self._report_done()
                continue
            for item in items:
                if self._stop.is_set():
                    break
                await self._call([item], deadline)
            self._report_done()
            # Handlers that await nothing would keep the event loop for themselves.
            await asyncio.sleep(0)

    async def _wait(self) -> None:
        task = get_current_task()
        self._idle.add(task)
        try:
            await self._queue.wait()
            if self._linger:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._queue.wait(self._limit), self._linger)
        finally:
            self._idle.discard(task)

    async def _call(self, items: list[QueuedEvent], deadline: Deadline) -> None:
        if not items:
            return
        if self._guard is not None and any(map(self._guard.is_watching, items)):
            await self._call_watched(self._guard, items, deadline)
        else:
            await self._call_unwatched(items, deadline)

    async def _call_unwatched(self, items: list[QueuedEvent], deadline: Deadline) -> None:
        # A batch has many causes; what the handler emits is traced to the first event.
        set_cause(items[0].event)
        try:
            with deadline:
                await self._call_handler([item.event for item in items])
        except Exception as error:  # noqa: BLE001  # a handler may raise any error; the event is retried
            await self._fail(items, error, deadline)
        else:
            await self._succeed(items)

    async def _call_watched(
        self, guard: PoisonEventGuard, items: list[QueuedEvent], deadline: Deadline
    ) -> None:
        """Call the handler for one event after the other, each under a durable mark."""
        for item in items:
            try:
                # The mark lasts until the outcome is recorded, because the text of the error
                # alone can end the process.
                async with guard.watch(item):
                    await self._call_unwatched([item], deadline)
            except PoisonEvent as error:
                _log.error("poison event", reason=str(error), **self._describe(item))
                await self._dead_letter(item, str(error))
            except StoreUnavailable:
                # Without a mark the handler was not called.
                self._schedule_retry(item, _MARK_RETRY)

    async def _fail(self, items: list[QueuedEvent], error: Exception, deadline: Deadline) -> None:
        if len(items) > 1:
            # A single event may fail the batch; the others are then handled.
            for item in items:
                await self._call([item], deadline)
            return
        (item,) = items
        item.failures += 1
        delay = Backoff(self._policy.retry, _JITTER).find_wait(
            item.failures, self._policy.chance()
        )
        reason = describe_exception(error, _LOGGED_REASON)
        if await self._dead_letters.is_dropped(item, error, is_last=delay is None):
            # Nothing is saved for a deleted user; the call also ends a replay.
            await self._dead_letter(item, reason)
            return
        if delay is None:
            _log.error("handler failed for good", error=reason, **self._describe(item))
            # In a thread, because the text of somebody's exception may take long.
            await self._dead_letter(item, await asyncio.to_thread(format_traceback, error))
            return
        _log.warning("handler failed", retry_in=delay, error=reason, **self._describe(item))
        self._schedule_retry(item, delay)

    def _describe(self, item: QueuedEvent) -> dict[str, object]:
        return {
            "handler": self._handler.name,
            "event_id": item.event.id,
            "attempts": item.failures,
        }

    async def _dead_letter(self, item: QueuedEvent, error: str) -> None:
        try:
            await self._dead_letters.save(self._handler, item, error)
        except StoreUnavailable:
            self._schedule_retry(item, _DEAD_LETTER_RETRY)
        else:
            self._mark_done(item)

    def _mark_done(self, item: QueuedEvent) -> None:
        item.done = True
        self._handled.append(item)

    def _report_done(self) -> None:
        """Report the events that are done to the queue, many at once when calls are short."""
        handled, self._handled = self._handled, []
        self._queue.finish(handled)

    async def _succeed(self, items: list[QueuedEvent]) -> None:
        for item in items:
            self._mark_done(item)
            if item.letter_id is not None:
                await self._dead_letters.delete_replayed(item.letter_id)

    def _schedule_retry(self, item: QueuedEvent, delay: float) -> None:
        asyncio.get_running_loop().call_later(delay, self._queue.put_back, item)
