"""What one webhook is owed, in the order in which it fell due."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from biont_webhooks.deliveries import Owed
from biont_webhooks.subscribers import Subscriber

SIZE = 1000
"""How many deliveries a webhook has in memory; the rest waits in the table."""


class Outbox:
    """The deliveries of one webhook that wait for their turn.

    Attributes:
        subscriber: whose outbox it is.
        running: how many of its deliveries are being attempted.
        refilling: whether the table is being read for it.
    """

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber
        self.running = 0
        self.refilling = False
        self._taken: set[int] = set()
        self._waiting: deque[Owed] = deque()
        self._seen = 0
        self._offered = 0
        self._behind = False

    def __len__(self) -> int:
        """Return how many deliveries wait in memory."""
        return len(self._waiting)

    @property
    def seen(self) -> int:
        """The number of the last delivery that was taken into memory."""
        return self._seen

    @property
    def needs_refill(self) -> bool:
        """Whether the table has deliveries for which there is room by now."""
        return self._behind and not self.refilling and len(self._waiting) <= SIZE // 2

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing left to do."""
        return not (self._waiting or self.running or self._behind or self.refilling)

    def offer(self, owed: Sequence[Owed]) -> None:
        """Take new deliveries, or leave them to the table when there is no room."""
        self._offered = owed[-1].id
        if not self._behind:
            room = SIZE - len(self._waiting)
            self._take(owed[:room])
            self._behind = len(owed) > room

    def renew(self, subscriber: Subscriber) -> None:
        """Take the webhook as it is now, and read anew what it is owed."""
        self.subscriber = subscriber
        self._waiting.clear()
        self._seen = 0
        self._behind = True

    def refill(self, owed: Sequence[Owed], limit: int) -> None:
        """Take what was read from the table with `limit`."""
        self._take(owed)
        # What was recorded while the read ran has been offered, but not taken.
        self._behind = len(owed) == limit or self._seen < self._offered

    def pop(self) -> Owed | None:
        """Return the next delivery, None when there is none in memory."""
        if not self._waiting:
            return None
        owed = self._waiting.popleft()
        self._taken.add(owed.id)
        return owed

    def put_away(self, owed: Owed) -> None:
        """Note that a delivery has been attempted."""
        self._taken.discard(owed.id)

    def _take(self, owed: Sequence[Owed]) -> None:
        for item in owed:
            if item.id > self._seen:
                self._seen = item.id
                if item.id not in self._taken:
                    self._waiting.append(item)
