"""Rate limit: a bucket of requests for each client, refilled at a steady rate.

The algorithm is the generic cell rate algorithm (ITU-T I.371): a number for each client, the
instant at which its bucket is full again. The headers are those of
draft-ietf-httpapi-ratelimit-headers.
"""

from __future__ import annotations

from collections.abc import Hashable
from math import ceil
from typing import Generic, TypeVar

from biont.exceptions import RateExceeded
from biont.settings.limits_section import Rate

K = TypeVar("K", bound=Hashable)

_MOST_CLIENTS = 10_000


class RateLimit(Generic[K]):
    """Limit of the requests of each client.

    Args:
        name: the name of the limit in headers and problems.
        rate: the rate at which a bucket is refilled; its amount is the size of the bucket.

    Attributes:
        name: the name of the limit.
        rate: the rate.
        policy: the content of the header ``RateLimit-Policy``.
    """

    def __init__(self, name: str, rate: Rate) -> None:
        self.name = name
        self.rate = rate
        self.policy = f'"{name}";q={rate.amount};w={rate.seconds}'
        self._interval = rate.seconds / rate.amount
        # The instant at which the bucket of a client is full. No entry: full already.
        self._full_at: dict[K, float] = {}

    def take(self, client: K, now: float) -> str:
        """Take a request out of the bucket of a client.

        Args:
            client: the client.
            now: the present instant, in seconds; any steady clock does.

        Returns:
            The content of the header ``RateLimit``.

        Raises:
            RateExceeded: the bucket is empty; nothing was taken.
        """
        full_at = self._find_level(client, now) + self._interval
        wait = full_at - now - self.rate.seconds
        # A little less than nothing, because sums of fractions are not exact.
        if wait > self._interval * 1e-6:
            raise RateExceeded(self.name, self.policy, wait)
        if client not in self._full_at and len(self._full_at) >= _MOST_CLIENTS:
            self._forget_clients(now)
        self._full_at[client] = full_at
        left = int((self.rate.seconds - full_at + now) / self._interval + 1e-6)
        return f'"{self.name}";r={left};t={ceil(full_at - now)}'

    def count_left(self, client: K, now: float) -> int:
        """Return the number of requests in the bucket of a client."""
        used = self._find_level(client, now) - now
        return int((self.rate.seconds - used) / self._interval + 1e-6)

    def _find_level(self, client: K, now: float) -> float:
        full_at = self._full_at.get(client, now)
        # Beyond the size of a bucket only after the clock was set back.
        return full_at if now < full_at <= now + self.rate.seconds else now

    def _forget_clients(self, now: float) -> None:
        """Forget clients with full buckets; without such, the clients that came first."""
        waiting = {key: at for key, at in self._full_at.items() if at > now}
        for key in list(waiting)[: max(0, len(waiting) - _MOST_CLIENTS // 2)]:
            del waiting[key]
        self._full_at = waiting
