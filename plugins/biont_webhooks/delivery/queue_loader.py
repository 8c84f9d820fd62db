"""Queue loader: moves deliveries between the table and the endpoint queues.

A queue that is incomplete and has room is refilled from the table. When nothing more is due, an
alarm is set for the next due delivery (a retry). Each queue has at most one alarm, the earliest.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from biont import Store
from biont.clock import Clock
from biont.exceptions import StoreUnavailable
from biont_webhooks.delivery.claims import (
    ClaimedBatch,
    claim_delivery,
    claim_due_deliveries,
    release_claims,
)
from biont_webhooks.delivery.deliveries import PendingDelivery
from biont_webhooks.delivery.endpoint_queue import EndpointQueue
from biont_webhooks.tables import ClaimState

_BATCH = 500
"""The most deliveries claimed in one write: half of the size of a queue."""

_RETRY_SECONDS = 1.0

_log = structlog.get_logger("biont.webhooks")


class QueueLoader:
    """Claims due deliveries for endpoint queues, and releases claims.

    Args:
        store: the store with the deliveries.
        clock: decides which deliveries are due.
        on_loaded: called with a queue after a refill.
        on_due: called with a queue that is incomplete because a delivery falls due.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        on_loaded: Callable[[EndpointQueue], None],
        on_due: Callable[[EndpointQueue], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._on_loaded = on_loaded
        self._on_due = on_due

    async def refill(self, queue: EndpointQueue) -> None:
        """Claim due deliveries of the queue's webhook and queue them."""
        # Before the read: a delivery that is committed after it marks the queue incomplete again.
        queue.mark_complete()
        try:
            batch = await self._store.write(
                claim_due_deliveries, queue.subscriber.id, self._clock.now(), _BATCH
            )
        except StoreUnavailable as error:
            _log.warning("deliveries not read, will be tried again", error=str(error))
            queue.mark_incomplete()
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            await self._accept(queue, batch)
        finally:
            queue.refilling = False
        self._on_loaded(queue)

    async def claim(self, webhook_id: int, delivery_id: int) -> PendingDelivery | None:
        """Claim one pending delivery; None if that is impossible; see `claim_delivery`."""
        try:
            return await self._store.write(claim_delivery, webhook_id, delivery_id)
        except StoreUnavailable as error:
            _log.warning("requested delivery not read, waits in the table", error=str(error))
            return None

    async def release(self, delivery_ids: Sequence[int], state: ClaimState) -> None:
        """Give up claims; see `release_claims`."""
        if not delivery_ids:
            return
        try:
            await self._store.write(release_claims, delivery_ids, state)
        except StoreUnavailable as error:
            # The claims stay, so the next start takes these deliveries for attempted and
            # repeats them with the mark `redelivered`: too often, but never lost.
            _log.warning("claims of deliveries not released", error=str(error))

    def set_alarm(self, queue: EndpointQueue, at: datetime) -> None:
        """Read the table again at `at`, unless an earlier alarm is set."""
        loop = asyncio.get_running_loop()
        when = loop.time() + max(0.0, (at - self._clock.now()).total_seconds())
        if queue.alarm is not None:
            # Not `alarm.when()`: uvloop's handle of a timer that is due at once has no `when`.
            if queue.alarm_at <= when:
                return
            queue.alarm.cancel()
        queue.alarm_at = when
        queue.alarm = loop.call_at(when, functools.partial(self._end_alarm, queue))

    def _end_alarm(self, queue: EndpointQueue) -> None:
        queue.alarm = None
        queue.mark_incomplete()
        self._on_due(queue)

    async def _accept(self, queue: EndpointQueue, batch: ClaimedBatch) -> None:
        if not queue.is_open:
            # The webhook was paused while the table was read.
            await self.release([delivery.id for delivery in batch.deliveries], ClaimState.FREE)
            return
        queue.push(batch.deliveries)
        if len(batch.deliveries) == _BATCH:
            queue.mark_incomplete()
        elif batch.next_due is not None:
            self.set_alarm(queue, batch.next_due)
