"""Slots for attempts: a slot for each endpoint, and a pool that all endpoints share.

The first attempt of an endpoint needs no slot of the pool. Endpoints that hang can therefore
fill the pool and slow each other's further attempts, but no endpoint ever waits for another
to make its first attempt.
"""

from __future__ import annotations

from biont_webhooks.delivery.endpoint_queue import EndpointQueue


class SlotPool:
    """Shared slots, and a waiting list of queues: first come, first served.

    Args:
        size: the number of shared slots.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._waiting: dict[int, EndpointQueue] = {}

    def try_acquire(self, queue: EndpointQueue) -> bool:
        """Count a further worker for `queue`; without a free slot, make the queue wait."""
        if queue.workers and not self._free:
            self._waiting[queue.subscriber.id] = queue
            return False
        self._free -= 1 if queue.workers else 0
        queue.workers += 1
        return True

    def release(self, queue: EndpointQueue) -> None:
        """Count a worker less for `queue`."""
        queue.workers -= 1
        # The last worker had the endpoint's own slot, not a shared slot.
        self._free += 1 if queue.workers else 0

    def pop_waiting(self) -> EndpointQueue | None:
        """Return the queue that has waited longest while a slot is free, else None."""
        if not self._waiting or not self._free:
            return None
        return self._waiting.pop(next(iter(self._waiting)))
