"""One POST for one delivery: whatever goes wrong is an outcome."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog
from aiohttp import ClientError

from biont.clock import Clock
from biont.egress import EgressResponse, EgressSession
from biont.exceptions import ForbiddenAddress
from biont_webhooks.delivery.deliveries import PendingDelivery
from biont_webhooks.delivery.results import AttemptResult
from biont_webhooks.subscription.retry_policy import parse_retry_after
from biont_webhooks.subscription.subscriber import Subscriber
from biont_webhooks.tables import AttemptTrigger

_ONCE = {AttemptTrigger.RESEND, AttemptTrigger.TEST}
"""AttemptMaker that somebody asked for by hand, and that are not repeated."""

_log = structlog.get_logger("biont.webhooks")


class AttemptMaker:
    """Makes attempts.

    Args:
        egress: the way out.
        clock: stamps them.
        timeout: for one attempt, in seconds.
        chance: a random number from 0 to 1, for the jitter of retries.
    """

    def __init__(
        self,
        egress: EgressSession,
        clock: Clock,
        *,
        timeout: float,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._egress = egress
        self._clock = clock
        self._timeout = timeout
        self._chance = chance

    async def make(self, subscriber: Subscriber, owed: PendingDelivery) -> AttemptResult:
        """POST `owed` once; return what came of it."""
        now = self._clock.now()
        headers = subscriber.make_headers(
            message_id=owed.event_id, body=owed.body, cause=owed.cause, now=now
        )
        try:
            response = await self._egress.post(
                subscriber.url, body=owed.body, headers=headers, timeout=self._timeout
            )
        except Exception as error:  # noqa: BLE001  # what is no outcome would stop the webhook
            duration = (self._clock.now() - now).total_seconds()
            retry_at = self._find_retry(subscriber, owed, {})
            return AttemptResult(owed, now, duration, None, _name(error), retry_at=retry_at)
        return self._judge(subscriber, owed, now, response)

    def _judge(
        self,
        subscriber: Subscriber,
        owed: PendingDelivery,
        now: datetime,
        response: EgressResponse,
    ) -> AttemptResult:
        error, retry_at, is_gone = None, None, False
        if not subscriber.success.accepts(response.status):
            error = f"answered {response.status}, not {subscriber.success}"
            # Whoever wants no retries wants each event tried, come what may.
            is_gone = response.status == 410 and bool(subscriber.retry.waits)
            if not is_gone:
                retry_at = self._find_retry(subscriber, owed, response.headers)
        return AttemptResult(
            owed,
            now,
            response.duration,
            response.status,
            error,
            response.body,
            retry_at,
            is_gone,
        )

    def _find_retry(
        self, subscriber: Subscriber, owed: PendingDelivery, headers: Mapping[str, str]
    ) -> datetime | None:
        if owed.trigger in _ONCE:
            return None
        now = self._clock.now()
        retry_after = headers.get("Retry-After")
        wait = subscriber.retry.delay_after(
            owed.attempts + 1,
            retry_after=None if retry_after is None else parse_retry_after(retry_after, now),
            chance=self._chance(),
        )
        return None if wait is None else now + timedelta(seconds=wait)


def _name(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout: no complete answer in time"
    if isinstance(error, ForbiddenAddress):
        return f"forbidden address: {error}"
    if isinstance(error, ClientError | OSError):
        return f"connection: {error}"
    _log.error("attempt failed unexpectedly", exc_info=error)
    return f"unexpected: {error!r}"
