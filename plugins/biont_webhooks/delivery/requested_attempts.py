"""Requested attempts: tests and resends, which users request by hand.

A requested attempt begins at once: beside the endpoint's queue, also while the webhook is
paused or disabled, and while the endpoint waits. At most `LIMIT` of one webhook run at a time, so
that a client that resends thousands of deliveries opens a few connections only.

The requested delivery is in one of four places: in the queue, from which it is taken; under way,
so that no further attempt is needed; in the table, where it is claimed; or in a refill of the
queue. The end of the refill begins again here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine

from biont_webhooks.delivery.deliveries import PendingDelivery
from biont_webhooks.delivery.endpoint_queue import EndpointQueue

LIMIT = 8
"""The most requested attempts of one webhook at a time."""


class RequestedAttempts:
    """Makes requested attempts.

    Args:
        claim: claims a pending delivery in the table; returns None for one that is claimed.
        make_attempt: makes an attempt and records its result.
        spawn: runs a coroutine in the background.
        on_done: called with a queue after its requested attempts.
    """

    def __init__(
        self,
        claim: Callable[[int, int], Awaitable[PendingDelivery | None]],
        make_attempt: Callable[[EndpointQueue, PendingDelivery], Awaitable[None]],
        spawn: Callable[[Coroutine[None, None, None]], None],
        on_done: Callable[[EndpointQueue], None],
    ) -> None:
        self._claim = claim
        self._make_attempt = make_attempt
        self._spawn = spawn
        self._on_done = on_done
        self._stopped = False

    def stop(self) -> None:
        """Begin no more attempts; the requested deliveries stay pending in the table."""
        self._stopped = True

    def start(self, queue: EndpointQueue) -> None:
        """Begin the requested attempts of a queue."""
        if self._stopped:
            return
        # While the table is read, nobody knows whether a delivery is in the queue or in the table.
        while not queue.refilling and queue.requested and queue.request_workers < LIMIT:
            queue.request_workers += 1
            self._spawn(self._work(queue, queue.requested.pop()))

    async def _work(self, queue: EndpointQueue, delivery_id: int) -> None:
        try:
            if delivery_id not in queue.under_way:
                await self._attempt(queue, delivery_id)
        finally:
            queue.request_workers -= 1
        self.start(queue)
        self._on_done(queue)

    async def _attempt(self, queue: EndpointQueue, delivery_id: int) -> None:
        delivery = queue.take(delivery_id)
        if delivery is None:
            delivery = await self._claim(queue.subscriber.id, delivery_id)
        if delivery is None:
            # A refill that began during the claim may have been faster.
            delivery = queue.take(delivery_id)
        if delivery is not None:
            await self._make_attempt(queue, delivery)
        elif queue.refilling:
            queue.requested.add(delivery_id)
