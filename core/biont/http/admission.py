"""Admission of requests: by their API key, and within the limits of the user or the address.

A limit belongs to the user and not to the key, because a key can make and rotate keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import TypeVar

from aiohttp import web

from biont.accounts.api_keys import ApiKeys
from biont.accounts.principal import Principal
from biont.clock import Clock
from biont.exceptions import Forbidden, RateExceeded, Unauthorized
from biont.http.client_address import find_client_address, find_client_network
from biont.http.failed_keys import FailedKeys
from biont.http.rate_class import RateClass
from biont.http.rate_limit import RateLimit
from biont.http.response_headers import RATE_LIMIT
from biont.services import Service
from biont.settings.limits_section import LimitSettings, Rate

K = TypeVar("K", bound=Hashable)

# A client that repeats a refused request at once would keep the event loop busy with refusals.
_PAUSE = 0.05


class Admission:
    """Decides which requests are answered.

    Args:
        keys: the API keys.
        clock: tells the time to all limits.
        settings: the limits.
    """

    def __init__(self, keys: ApiKeys, clock: Clock, settings: LimitSettings) -> None:
        self._keys = keys
        self._clock = clock
        rates = {
            RateClass.READ: settings.read,
            RateClass.WRITE: settings.write,
            RateClass.CHAT: settings.chat,
        }
        self._limits = {
            name: RateLimit[int](name, Rate.parse(text))
            for name, text in rates.items()
            if text is not None
        }
        self._public = (
            None
            if settings.public is None
            else RateLimit[str]("public", Rate.parse(settings.public))
        )
        self._failed = (
            None if settings.failed_keys is None else FailedKeys(Rate.parse(settings.failed_keys))
        )

    async def admit(self, http: web.Request, plain: str | None, group: RateClass) -> Principal:
        """Return the principal of a request with an API key.

        Args:
            http: the request.
            plain: the API key that the request has.
            group: the group of the route.

        Raises:
            Unauthorized: the key is missing or wrong.
            RateExceeded: the user has made too many requests, or the address has sent too many
                wrong keys.
        """
        try:
            principal = await self._keys.authenticate(plain)
        except Unauthorized as error:
            await self._refuse(http, plain, str(error))
            raise
        except Forbidden:
            # The key of a disabled user, which belongs to nobody that has a bucket.
            await self.admit_stranger(http)
            raise
        limit = self._limits.get(group)
        if limit is not None:
            await _count(http, limit, principal.user_id, self._clock.now().timestamp())
        return principal

    async def admit_stranger(self, http: web.Request) -> None:
        """Count a request to a public route.

        Raises:
            RateExceeded: the address has made too many requests.
        """
        if self._public is not None:
            now = self._clock.now().timestamp()
            await _count(http, self._public, find_client_network(find_client_address(http)), now)

    def list_limits(self, user_id: int) -> list[tuple[RateLimit[int], int]]:
        """Return the limits of a user, each with the number of requests that are left."""
        now = self._clock.now().timestamp()
        return [(limit, limit.count_left(user_id, now)) for limit in self._limits.values()]

    async def _refuse(self, http: web.Request, plain: str | None, reason: str) -> None:
        if plain is None:
            await self.admit_stranger(http)
        elif self._failed is not None:
            # The whole address, because the log is for programs that block it.
            address, now = find_client_address(http), self._clock.now().timestamp()
            try:
                self._failed.note(address, reason, now)
            except RateExceeded:
                await asyncio.sleep(_PAUSE)
                raise


async def _count(http: web.Request, limit: RateLimit[K], client: K, now: float) -> None:
    try:
        state = limit.take(client, now)
    except RateExceeded as error:
        http[RATE_LIMIT] = (limit.policy, error.state)
        await asyncio.sleep(_PAUSE)
        raise
    http[RATE_LIMIT] = (limit.policy, state)


ADMISSION = Service[Admission]("admission", provider="core")
"""Counts requests against the limits of users and addresses."""
