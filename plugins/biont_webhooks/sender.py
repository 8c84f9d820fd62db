"""Makes the attempts: many webhooks side by side, none at the expense of another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog
from aiohttp import ClientError

from biont import Clock, EgressSession, Store
from biont.exceptions import ForbiddenAddress, StoreUnavailable
from biont_webhooks.deliveries import (
    Outcome,
    Owed,
    select_owed,
)
from biont_webhooks.outbox import Outbox
from biont_webhooks.recorder import Recorder
from biont_webhooks.subscribers import Subscriber
from biont_webhooks.tables import DeliveryStatus

_REFILL = 500
_READ_AGAIN = 1.0

_log = structlog.get_logger("biont.webhooks")


class Sender:
    """Attempts each delivery once and records what came of it.

    Every webhook may always have one attempt under way; what it has beyond that
    counts against a limit that all share. So endpoints that hang can slow each
    other's extra attempts, but never keep another from its turn.

    Args:
        store: where deliveries are.
        egress: the way out.
        clock: stamps attempts.
        timeout: for one attempt, in seconds.
        concurrency: how many attempts one webhook has under way at most.
        connections: how many all have beyond their first.
    """

    def __init__(
        self,
        store: Store,
        egress: EgressSession,
        clock: Clock,
        *,
        timeout: float,
        concurrency: int,
        connections: int,
    ) -> None:
        self._store = store
        self._egress = egress
        self._clock = clock
        self._timeout = timeout
        self._concurrency = concurrency
        self._spare = connections
        self._outboxes: dict[int, Outbox] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._starved: dict[int, Outbox] = {}
        self._recorder = Recorder(store)
        self._stopping = False

    @asynccontextmanager
    async def run(
        self, creditors: Sequence[Subscriber], time_to_stop: Callable[[], float]
    ) -> AsyncIterator[None]:
        """Attempt deliveries while this is open, first those that a former run left.

        Args:
            creditors: the webhooks that are owed something.
            time_to_stop: how many seconds attempts under way may take when it closes.
        """
        async with self._recorder.run():
            for subscriber in creditors:
                self.refresh(subscriber)
            try:
                yield
            finally:
                await self._stop(time_to_stop())

    async def _stop(self, grace: float) -> None:
        self._stopping = True
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def offer(self, subscribers: Sequence[Subscriber], owed: Mapping[int, Sequence[Owed]]) -> None:
        """Take up deliveries that have just become durable."""
        for subscriber in subscribers:
            new = owed.get(subscriber.id)
            if new:
                outbox = self._find_outbox(subscriber)
                outbox.offer(new)
                self._pump(outbox)

    def refresh(self, subscriber: Subscriber) -> None:
        """Take up a webhook as it is now, and whatever the table says is owed to it."""
        outbox = self._find_outbox(subscriber)
        outbox.renew(subscriber)
        self._pump(outbox)

    def forget(self, webhook_id: int) -> None:
        """Attempt nothing more for a webhook that was deleted or paused."""
        self._outboxes.pop(webhook_id, None)

    def _find_outbox(self, subscriber: Subscriber) -> Outbox:
        outbox = self._outboxes.get(subscriber.id)
        if outbox is None:
            outbox = self._outboxes[subscriber.id] = Outbox(subscriber)
        return outbox

    def _pump(self, outbox: Outbox) -> None:
        """Start as many workers for a webhook as it needs and may have."""
        if self._stopping:
            return
        if outbox.needs_refill:
            outbox.refilling = True
            self._start(self._refill(outbox))
        while outbox.running < min(self._concurrency, len(outbox) + outbox.running):
            if outbox.running and not self._spare:
                self._starved[outbox.subscriber.id] = outbox
                return
            self._spare -= 1 if outbox.running else 0
            outbox.running += 1
            self._start(self._work(outbox))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _refill(self, outbox: Outbox) -> None:
        try:
            owed = await self._store.read(select_owed, outbox.subscriber.id, outbox.seen, _REFILL)
            outbox.refill(owed, _REFILL)
        except StoreUnavailable as error:
            _log.warning("deliveries not read, will be tried again", error=str(error))
            await asyncio.sleep(_READ_AGAIN)
        finally:
            outbox.refilling = False
        self._pump(outbox)

    async def _work(self, outbox: Outbox) -> None:
        try:
            while not self._stopping and self._outboxes.get(outbox.subscriber.id) is outbox:
                owed = outbox.pop()
                if owed is None:
                    break
                await self._recorder.record(await self._attempt(outbox.subscriber, owed))
                outbox.put_away(owed)
                if outbox.needs_refill:
                    self._pump(outbox)
        finally:
            outbox.running -= 1
            self._spare += 1 if outbox.running else 0
        if outbox.is_idle and self._outboxes.get(outbox.subscriber.id) is outbox:
            del self._outboxes[outbox.subscriber.id]
        self._feed_starved()

    def _feed_starved(self) -> None:
        """Give places that became free to the webhooks that have waited longest."""
        while self._starved and self._spare:
            self._pump(self._starved.pop(next(iter(self._starved))))

    async def _attempt(self, subscriber: Subscriber, owed: Owed) -> Outcome:
        """Make one POST; whatever goes wrong is an outcome."""
        now = self._clock.now()
        headers = subscriber.make_headers(message_id=owed.event_id, body=owed.body, now=now)
        try:
            response = await self._egress.post(
                subscriber.url, body=owed.body, headers=headers, timeout=self._timeout
            )
        except Exception as error:  # noqa: BLE001  # what is no outcome would stop the webhook
            duration = (self._clock.now() - now).total_seconds()
            return Outcome(
                owed.id,
                now,
                duration,
                None,
                _name(error),
                b"",
                DeliveryStatus.FAILED,
                owed.trigger,
            )
        is_success = subscriber.success.accepts(response.status)
        refusal = f"answered {response.status}, not {subscriber.success}"
        return Outcome(
            owed.id,
            now,
            response.duration,
            response.status,
            None if is_success else refusal,
            response.body,
            DeliveryStatus.SUCCEEDED if is_success else DeliveryStatus.FAILED,
            owed.trigger,
        )


def _name(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout: no complete answer in time"
    if isinstance(error, ForbiddenAddress):
        return f"forbidden address: {error}"
    if isinstance(error, ClientError | OSError):
        return f"connection: {error}"
    _log.error("attempt failed unexpectedly", exc_info=error)
    return f"unexpected: {error!r}"
