"""Makes the attempts: many webhooks side by side, none at the expense of another."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

from biont import Store, Transaction
from biont.clock import Clock
from biont.exceptions import StoreUnavailable
from biont_webhooks.delivery.attempt import AttemptMaker
from biont_webhooks.delivery.claims import Claimed, claim_pending, release
from biont_webhooks.delivery.deliveries import PendingDelivery
from biont_webhooks.delivery.endpoint_queue import EndpointQueue
from biont_webhooks.delivery.pacer import Pacer
from biont_webhooks.delivery.result_writer import ResultWriter
from biont_webhooks.delivery.results import AttemptResult, save_results
from biont_webhooks.service.fan_out import FanOut
from biont_webhooks.subscription.subscriber import Subscriber
from biont_webhooks.tables import ClaimState

_REFILL = 500
_PAUSE = 0.005
"""The least time between attempts at endpoints that have failed last time, in seconds."""
_READ_AGAIN = 1.0

_log = structlog.get_logger("biont.webhooks")


class Dispatcher:
    """AttemptMaker what is due and records what came of it.

    Every webhook may always have one attempt under way; what it has beyond that
    counts against a limit that all share. So endpoints that hang can slow each
    other's extra attempts, but never keep another from its turn. An endpoint that has not
    answered well last time, or is new, gets one attempt at a time, and those of all such
    endpoints begin one after the other.

    Args:
        store: where deliveries are.
        clock: says what is due.
        attempts: makes one attempt.
        subscriptions: are told when a webhook is disabled.
        concurrency: how many attempts a webhook that names none has under way at most.
        connections: how many all have beyond their first.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        attempts: AttemptMaker,
        subscriptions: FanOut,
        *,
        concurrency: int,
        connections: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._attempts = attempts
        self._subscriptions = subscriptions
        self._concurrency = concurrency
        self._spare = connections
        self._outboxes: dict[int, EndpointQueue] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._starved: dict[int, EndpointQueue] = {}
        self._health: dict[int, bool] = {}
        self._gates = {True: None, None: Pacer(0), False: Pacer(_PAUSE)}
        self._recorder = ResultWriter(store, self._save, self._go_on)
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
        await self._let_go()

    def has_room(self, webhook_id: int) -> bool:
        """Say whether new deliveries of a webhook may be offered; safe to ask from any thread."""
        outbox = self._outboxes.get(webhook_id)
        return not self._stopping and (outbox is None or outbox.has_room)

    def is_congested(self, webhook_id: int) -> bool:
        """Say whether deliveries pile up for a webhook; safe to ask from any thread."""
        outbox = self._outboxes.get(webhook_id)
        return outbox is not None and outbox.is_congested

    def offer(self, owed: Sequence[tuple[Subscriber, Sequence[PendingDelivery]]]) -> None:
        """Take up deliveries that have just become durable, claimed for webhooks with room."""
        # Those that will have it over quickly first.
        for subscriber, new in sorted(owed, key=lambda pair: not self._health.get(pair[0].id)):
            outbox = self._find_outbox(subscriber)
            outbox.take(new)
            self._pump(outbox)

    def refresh(self, subscriber: Subscriber) -> None:
        """Take up a webhook as it is now, and whatever the table says is owed to it."""
        outbox = self._find_outbox(subscriber)
        outbox.open(subscriber)
        outbox.fall_behind()
        self._pump(outbox)

    def forget(self, webhook_id: int) -> None:
        """Begin no more attempts for a webhook that was deleted, paused or disabled."""
        self._health.pop(webhook_id, None)
        outbox = self._outboxes.get(webhook_id)
        if outbox is not None:
            self._start(self._give_back(outbox.close(), ClaimState.FREE))
            self._drop_idle(outbox)

    def _find_outbox(self, subscriber: Subscriber) -> EndpointQueue:
        outbox = self._outboxes.get(subscriber.id)
        if outbox is None:
            outbox = self._outboxes[subscriber.id] = EndpointQueue(subscriber)
        return outbox

    def _pump(self, outbox: EndpointQueue) -> None:
        """Start as many workers for a webhook as it needs and may have."""
        if self._stopping or not outbox.is_open:
            return
        if outbox.needs_refill:
            outbox.refilling = True
            self._start(self._refill(outbox))
        if self._pauses(outbox):
            return
        limit = 1
        if self._health.get(outbox.subscriber.id):
            limit = outbox.subscriber.concurrency or self._concurrency
        while outbox.running < min(limit, len(outbox) + outbox.running):
            if outbox.running and not self._spare:
                self._starved[outbox.subscriber.id] = outbox
                return
            self._spare -= 1 if outbox.running else 0
            outbox.running += 1
            self._start(self._work(outbox))

    def _pauses(self, outbox: EndpointQueue) -> bool:
        """Say whether the webhook's rate forbids an attempt; go on when it does no more."""
        loop = asyncio.get_running_loop()
        wait = outbox.wait(loop.time())
        if wait and outbox.pause is None:
            outbox.pause = loop.call_later(wait, self._end_pause, outbox)
        return wait > 0

    def _end_pause(self, outbox: EndpointQueue) -> None:
        outbox.pause = None
        self._pump(outbox)
        self._drop_idle(outbox)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _refill(self, outbox: EndpointQueue) -> None:
        outbox.catch_up()
        try:
            claimed = await self._store.write(
                claim_pending, outbox.subscriber.id, self._clock.now(), _REFILL
            )
        except StoreUnavailable as error:
            _log.warning("deliveries not read, will be tried again", error=str(error))
            outbox.fall_behind()
            await asyncio.sleep(_READ_AGAIN)
        else:
            await self._take_in(outbox, claimed)
        finally:
            outbox.refilling = False
        self._pump(outbox)
        self._drop_idle(outbox)

    async def _take_in(self, outbox: EndpointQueue, claimed: Claimed) -> None:
        if not outbox.is_open:
            await self._give_back([owed.id for owed in claimed.owed], ClaimState.FREE)
            return
        outbox.take(claimed.owed)
        if len(claimed.owed) == _REFILL:
            outbox.fall_behind()
        elif claimed.next_due is not None:
            self._set_alarm(outbox, claimed.next_due)

    async def _work(self, outbox: EndpointQueue) -> None:
        loop = asyncio.get_running_loop()
        try:
            while await self._may_begin(outbox):
                await self._attempt(outbox, outbox.pop(loop.time()))
                self._pump(outbox)
        finally:
            outbox.running -= 1
            self._spare += 1 if outbox.running else 0
        self._drop_idle(outbox)
        self._feed_starved()

    async def _may_begin(self, outbox: EndpointQueue) -> bool:
        """Wait for the turn of the next attempt; say whether there is to be one."""
        gate = self._gates[self._health.get(outbox.subscriber.id)]
        if gate is not None and not self._is_held(outbox):
            await gate.enter()
        return not self._is_held(outbox)

    def _is_held(self, outbox: EndpointQueue) -> bool:
        return self._stopping or not outbox.is_open or not len(outbox) or self._pauses(outbox)

    async def _attempt(self, outbox: EndpointQueue, owed: PendingDelivery) -> None:
        # A cancelled attempt stays under way: nobody knows how far it came.
        outbox.under_way.add(owed.id)
        outcome = await self._attempts.make(outbox.subscriber, owed)
        if outbox.is_open:
            self._health[owed.webhook_id] = outcome.error is None
        await self._recorder.record(outcome)

    def _drop_idle(self, outbox: EndpointQueue) -> None:
        webhook_id = outbox.subscriber.id
        if outbox.is_idle and self._outboxes.get(webhook_id) is outbox:
            del self._outboxes[webhook_id]

    def _feed_starved(self) -> None:
        """Give places that became free to the webhooks that have waited longest."""
        while self._starved and self._spare:
            self._pump(self._starved.pop(next(iter(self._starved))))

    def _save(self, tx: Transaction, outcomes: Sequence[AttemptResult]) -> None:
        for webhook in save_results(tx, outcomes):
            self._subscriptions.forget(webhook.user_id)
            tx.after_commit(functools.partial(self.forget, webhook.id))

    def _go_on(self, outcomes: Sequence[AttemptResult]) -> None:
        for outcome in outcomes:
            outbox = self._outboxes[outcome.owed.webhook_id]
            outbox.under_way.discard(outcome.owed.id)
            if outcome.retry_at is not None and outbox.is_open:
                self._set_alarm(outbox, outcome.retry_at)
            self._drop_idle(outbox)

    def _set_alarm(self, outbox: EndpointQueue, at: datetime) -> None:
        """Look into the table again at `at`, unless that happens earlier anyway."""
        loop = asyncio.get_running_loop()
        when = loop.time() + max(0.0, (at - self._clock.now()).total_seconds())
        if outbox.alarm is not None:
            if outbox.alarm.when() <= when:
                return
            outbox.alarm.cancel()
        outbox.alarm = loop.call_at(when, functools.partial(self._ring, outbox))

    def _ring(self, outbox: EndpointQueue) -> None:
        outbox.alarm = None
        outbox.fall_behind()
        self._pump(outbox)

    async def _give_back(self, delivery_ids: Sequence[int], claim: ClaimState) -> None:
        if not delivery_ids:
            return
        try:
            await self._store.write(release, delivery_ids, claim)
        except StoreUnavailable as error:
            # They count as attempted then: after the next start each is made once more.
            _log.warning("deliveries not given back", error=str(error))

    async def _stop(self, grace: float) -> None:
        self._stopping = True
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _let_go(self) -> None:
        """Give back what was claimed and not attempted, or attempted and cut off."""
        outboxes = self._outboxes.values()
        waiting = [number for outbox in outboxes for number in outbox.close()]
        doubtful = [number for outbox in outboxes for number in outbox.under_way]
        await self._give_back(waiting, ClaimState.FREE)
        await self._give_back(doubtful, ClaimState.DOUBTFUL)
