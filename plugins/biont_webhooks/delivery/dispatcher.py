"""Dispatcher: makes delivery attempts for many endpoints, so that none delays another.

Each endpoint has a queue (`EndpointQueue`) and a health (`EndpointHealth`):

    unknown --success--> healthy --failure--> failing --success--> healthy
    unknown --failure--> failing

Every endpoint has a slot of its own (`SlotPool`). A healthy endpoint may use further slots of
a pool that all endpoints share (`connections`), up to its own `concurrency`. Attempts to unknown
endpoints begin one in each turn of the event loop, and attempts to failing endpoints at least
`PACE_SECONDS` apart, so that failing endpoints do not slow a healthy one (benchmark
`isolation`).

A claimed delivery is in exactly one place: its queue, an attempt under way, or the result
writer. A crash leaves the claim in the table; the next start finds the claim and makes the
attempt again, marked `redelivered`, because no record says whether the first attempt arrived.

Attempts for an endpoint that asked for a wait by ``Retry-After`` begin later (`EndpointWaits`),
and attempts that a user requests by hand at once (`RequestedAttempts`).

A stop lets attempts end while there is time, then cancels the rest. Deliveries that were
waiting are released as free, and deliveries whose attempt was cut off as doubtful.

All state belongs to the event loop. The writer thread calls `has_capacity` and `is_congested`,
which read single values, and `_save`, which calls `on_disabled`. Everything else is handed over
by `after_commit`, whose callbacks run on the event loop.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from biont import Store, Transaction
from biont.accounts import Users
from biont.clock import Clock
from biont.events import EventIntake
from biont_webhooks.delivery.attempt import AttemptMaker
from biont_webhooks.delivery.deliveries import PendingDelivery
from biont_webhooks.delivery.endpoint_health import EndpointHealth
from biont_webhooks.delivery.endpoint_queue import EndpointQueue
from biont_webhooks.delivery.endpoint_waits import EndpointWaits
from biont_webhooks.delivery.intake_hold import IntakeHold
from biont_webhooks.delivery.queue_loader import QueueLoader
from biont_webhooks.delivery.requested_attempts import RequestedAttempts
from biont_webhooks.delivery.result_writer import ResultWriter
from biont_webhooks.delivery.results import AttemptResult, save_results
from biont_webhooks.delivery.slot_pool import SlotPool
from biont_webhooks.delivery.task_set import TaskSet
from biont_webhooks.delivery.worker_pool import WorkerPool
from biont_webhooks.subscription.subscriber import Subscriber
from biont_webhooks.tables import ClaimState


class Dispatcher:
    """Makes the attempts that are due, and records the results.

    Args:
        store: the store with the deliveries.
        clock: decides which deliveries are due.
        attempt_maker: makes single attempts.
        on_disabled: called with the user of a webhook that is disabled, inside the
            transaction that disables the webhook.
        users: knows the disabled users, whose deliveries wait.
        intake: the intake of events, which is held while the event loop is too busy.
        concurrency: the most simultaneous attempts of a webhook without a limit of its own.
        connections: the most simultaneous attempts of all webhooks beyond one for each.
    """

    def __init__(  # noqa: PLR0913  # the parts that it connects
        self,
        store: Store,
        clock: Clock,
        attempt_maker: AttemptMaker,
        *,
        on_disabled: Callable[[int], None],
        users: Users,
        intake: EventIntake,
        concurrency: int,
        connections: int,
    ) -> None:
        self._attempt_maker = attempt_maker
        self._on_disabled = on_disabled
        self._users = users
        users.on_switch(enabled=self._release_user)
        self._concurrency = concurrency
        self._slots = SlotPool(connections)
        self._intake_hold = IntakeHold(intake)
        self._queues: dict[int, EndpointQueue] = {}
        self._tasks = TaskSet()
        self._workers = WorkerPool(self._work, self._tasks.spawn)
        self._health = EndpointHealth()
        self._waits = EndpointWaits(clock)
        self._loader = QueueLoader(
            store, clock, on_loaded=self._proceed, on_due=self._start_workers
        )
        self._requested = RequestedAttempts(
            self._loader.claim, self._make_attempt, self._tasks.spawn, self._drop_if_idle
        )
        self._result_writer = ResultWriter(store, self._save, self._finish_recorded)
        self._stopping = False

    @asynccontextmanager
    async def run(
        self, subscribers: Sequence[Subscriber], time_to_stop: Callable[[], float]
    ) -> AsyncIterator[None]:
        """Make attempts while the context is open.

        Args:
            subscribers: the webhooks that a former run has left with pending deliveries, or
                with a wait.
            time_to_stop: returns the seconds for which attempts may go on at the end.
        """
        async with self._result_writer.run():
            for subscriber in subscribers:
                self._waits.replace(subscriber.id, subscriber.waits_until)
                self.refresh(subscriber)
            try:
                yield
            finally:
                await self._stop(time_to_stop())
        # After the result writer: a delivery whose result was recorded is no longer under way.
        await self._release_claims()

    def has_capacity(self, webhook_id: int) -> bool:
        """Return whether new deliveries of `webhook_id` may be queued in memory.

        Thread-safe: the writer thread calls this inside the commit that creates the deliveries.
        Deliveries that do not fit stay in the table and are claimed when the queue drains.
        """
        queue = self._queues.get(webhook_id)
        return not self._stopping and (queue is None or queue.has_capacity)

    def is_congested(self, webhook_id: int) -> bool:
        """Return whether deliveries of `webhook_id` pile up. Thread-safe."""
        queue = self._queues.get(webhook_id)
        return queue is not None and queue.is_congested(self._health.find_state(webhook_id))

    def offer(self, batches: Sequence[tuple[Subscriber, Sequence[PendingDelivery]]]) -> None:
        """Queue deliveries that were created as claimed and have just been committed."""
        now = asyncio.get_running_loop().time()
        # Healthy endpoints first: their attempts do not wait for endpoints that may hang.
        batches = sorted(batches, key=lambda batch: not self._health.is_healthy(batch[0].id))
        for subscriber, deliveries in batches:
            queue = self._get_queue(subscriber)
            queue.push(deliveries, now)
            self._start_workers(queue)

    def refresh(self, subscriber: Subscriber) -> None:
        """Use the present state of a webhook, and read its pending deliveries."""
        queue = self._get_queue(subscriber)
        queue.open(subscriber)
        queue.mark_incomplete()
        self._start_workers(queue)

    def attempt_now(self, subscriber: Subscriber, delivery_id: int) -> None:
        """Attempt a pending delivery at once, in whatever state the webhook and its queue are."""
        queue = self._get_queue(subscriber)
        # A closed queue still has the state from before the pause.
        queue.subscriber = subscriber
        queue.requested.add(delivery_id)
        self._requested.start(queue)

    def end_wait(self, webhook_id: int) -> None:
        """Forget the wait for which the receiver of a webhook has asked."""
        self._waits.replace(webhook_id, None)

    def close_queue(self, webhook_id: int) -> None:
        """Begin no more attempts for a webhook that was deleted, paused or disabled."""
        self._health.reset(webhook_id)
        self.end_wait(webhook_id)
        queue = self._queues.get(webhook_id)
        if queue is not None:
            self._tasks.spawn(self._loader.release(queue.close(), ClaimState.FREE))
            self._drop_if_idle(queue)

    def _get_queue(self, subscriber: Subscriber) -> EndpointQueue:
        queue = self._queues.get(subscriber.id)
        if queue is None:
            queue = self._queues[subscriber.id] = EndpointQueue(subscriber)
        return queue

    def _proceed(self, queue: EndpointQueue) -> None:
        """Start workers for a queue, or drop the queue when nothing is left to do."""
        self._requested.start(queue)
        self._start_workers(queue)
        self._drop_if_idle(queue)

    def _start_workers(self, queue: EndpointQueue) -> None:
        """Start as many workers as the queue needs and may have, and a refill if needed."""
        if self._stopping or not queue.is_open or self._has_disabled_user(queue):
            return
        if queue.needs_refill:
            # Set here and not in the task, so that the next call starts no second refill.
            queue.refilling = True
            self._tasks.spawn(self._loader.refill(queue))
        # Asked of an empty queue too: the timer keeps the queue, which knows the last start.
        if self._must_wait(queue):
            return
        # An endpoint that may hang gets one attempt at a time: more would only hang as well.
        limit = 1
        if self._health.is_healthy(queue.subscriber.id):
            limit = queue.subscriber.concurrency or self._concurrency
        while queue.workers < min(limit, len(queue) + queue.workers):
            if not self._slots.try_acquire(queue):
                return
            self._workers.start(queue)

    def _must_wait(self, queue: EndpointQueue) -> bool:
        """Return whether the rate or the receiver forbids an attempt now; set a timer if so."""
        webhook = queue.subscriber
        if webhook.rate is None and webhook.id not in self._waits:
            return False
        now = asyncio.get_running_loop().time()
        wait = max(queue.seconds_until_allowed(now), self._waits.seconds_left(webhook.id))
        if wait:
            queue.set_pause(now + wait, self._end_pause)
        return wait > 0

    def _end_pause(self, queue: EndpointQueue) -> None:
        queue.pause = None
        self._proceed(queue)

    async def _work(self, queue: EndpointQueue) -> None:
        """Make attempts, one by one, until the queue is empty or held."""
        loop = asyncio.get_running_loop()
        try:
            while await self._wait_for_start(queue):
                delivery = queue.pop(loop.time())
                self._intake_hold.note_start(queue)
                await self._make_attempt(queue, delivery)
                # A success may have made the endpoint healthy: it may have more workers now.
                self._start_workers(queue)
        finally:
            self._slots.release(queue)
        self._drop_if_idle(queue)
        while (waiting := self._slots.pop_waiting()) is not None:
            self._start_workers(waiting)

    async def _wait_for_start(self, queue: EndpointQueue) -> bool:
        """Wait until the next attempt may begin; return whether a delivery is still to attempt."""
        pacer = self._health.find_pacer(queue.subscriber.id)
        if pacer is not None and not self._is_held(queue):
            await pacer.wait_turn()
        # Asked again: during the wait the webhook may have been paused, or the queue emptied.
        return not self._is_held(queue)

    def _is_held(self, queue: EndpointQueue) -> bool:
        if self._stopping or not queue.is_open or self._has_disabled_user(queue):
            return True
        return not len(queue) or self._must_wait(queue)

    def _has_disabled_user(self, queue: EndpointQueue) -> bool:
        return queue.subscriber.user_id in self._users.disabled

    def _release_user(self, user_id: int) -> None:
        """Attempt the deliveries that waited while their user was disabled."""
        for queue in list(self._queues.values()):
            if queue.subscriber.user_id == user_id:
                queue.mark_incomplete()
                self._proceed(queue)

    async def _make_attempt(self, queue: EndpointQueue, delivery: PendingDelivery) -> None:
        # A cancelled attempt may have arrived: it stays here, until the stop releases the claim.
        queue.under_way.add(delivery.id)
        subscriber = queue.subscriber
        result = await self._attempt_maker.make_attempt(subscriber, delivery)
        queue.note_duration(result.duration)
        # The result of an attempt from before a pause says nothing about the endpoint after it.
        if queue.is_open:
            self._health.note_result(delivery.webhook_id, succeeded=result.error is None)
        if subscriber.url != queue.subscriber.url:
            # The receiver at the former URL asked for the wait.
            result = result._replace(waits_until=None)
        if result.waits_until is not None:
            self._waits.extend(delivery.webhook_id, result.waits_until)
        await self._result_writer.record(result)

    def _drop_if_idle(self, queue: EndpointQueue) -> None:
        # Memory is used for busy endpoints only, however many webhooks are registered.
        webhook_id = queue.subscriber.id
        if queue.is_idle and self._queues.get(webhook_id) is queue:
            del self._queues[webhook_id]

    def _save(self, tx: Transaction, results: Sequence[AttemptResult]) -> None:
        # On the writer thread: the cache changes at once, the queue after the commit.
        for webhook in save_results(tx, results):
            self._on_disabled(webhook.user_id)
            tx.after_commit(functools.partial(self.close_queue, webhook.id))

    def _finish_recorded(self, results: Sequence[AttemptResult]) -> None:
        for result in results:
            queue = self._queues[result.delivery.webhook_id]
            queue.under_way.discard(result.delivery.id)
            # The retry is in the table only; the alarm reads the table at the due time.
            if result.retry_at is not None and queue.is_open:
                self._loader.set_alarm(queue, result.retry_at)
            self._drop_if_idle(queue)

    async def _stop(self, time_left: float) -> None:
        self._stopping = True
        self._intake_hold.stop()
        self._requested.stop()
        self._workers.stop()
        # Workers see `_stopping` after their attempt; a refill ends by itself.
        await self._tasks.end(time_left)

    async def _release_claims(self) -> None:
        """Release claims: free if not attempted, doubtful if the attempt was cut off."""
        queues = self._queues.values()
        waiting = [delivery_id for queue in queues for delivery_id in queue.close()]
        cut_off = [delivery_id for queue in queues for delivery_id in queue.under_way]
        await self._loader.release(waiting, ClaimState.FREE)
        await self._loader.release(cut_off, ClaimState.DOUBTFUL)
