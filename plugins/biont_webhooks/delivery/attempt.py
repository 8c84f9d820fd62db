"""Attempts: signed POST requests for deliveries.

A failed attempt returns a result and raises nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from biont.clock import Clock
from biont.egress import EgressResponse, EgressSession
from biont.exceptions import ForbiddenAddress, RequestFailed
from biont.security import describe_exception
from biont_webhooks.delivery.deliveries import PendingDelivery
from biont_webhooks.delivery.endpoint_waits import WAIT_LIMIT
from biont_webhooks.delivery.results import AttemptResult
from biont_webhooks.subscription.retry_policy import parse_retry_after
from biont_webhooks.subscription.subscriber import Subscriber
from biont_webhooks.tables import AttemptTrigger, ErrorClass

_WITHOUT_RETRY = {AttemptTrigger.RESEND, AttemptTrigger.TEST}
"""Attempts that a user requested by hand and that are not retried."""

_ASKS_FOR_WAIT = {429, 503}
"""The statuses by which ``Retry-After`` concerns the whole endpoint (RFC 6585, RFC 9110)."""

_BODY_WAIT = 3.0
"""The seconds in which the body of an answer may come after the headers."""

_log = structlog.get_logger("biont.webhooks")


class AttemptMaker:
    """Makes attempts and decides about the retry after a failure.

    Args:
        egress: the session through which requests leave the workbench.
        clock: provides the time of attempts and retries.
        timeout: the limit for one attempt, in seconds.
        chance: returns a random number from 0 to 1, for the jitter of retries.
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

    async def make_attempt(
        self, subscriber: Subscriber, delivery: PendingDelivery
    ) -> AttemptResult:
        """POST `delivery` once; return the result."""
        now = self._clock.now()
        headers = subscriber.make_headers(
            message_id=delivery.event_id,
            body=delivery.body,
            causation_headers=delivery.causation_headers,
            now=now,
        )
        try:
            response = await self._egress.post(
                subscriber.url,
                body=delivery.body,
                headers=headers,
                timeout=self._timeout,
                body_wait=_BODY_WAIT,
            )
        # An error here would end the worker, and with it the attempts of the whole webhook.
        except Exception as error:  # noqa: BLE001  # see above
            duration = (self._clock.now() - now).total_seconds()
            retry_at = self._find_retry(subscriber, delivery, None)
            error_class, text = _describe_error(error)
            return AttemptResult(
                delivery, now, duration, None, text, error_class, retry_at=retry_at
            )
        return self._evaluate(subscriber, delivery, now, response)

    def _evaluate(
        self,
        subscriber: Subscriber,
        delivery: PendingDelivery,
        now: datetime,
        response: EgressResponse,
    ) -> AttemptResult:
        error, retry_at, waits_until, is_gone = None, None, None, False
        if not subscriber.success.accepts(response.status):
            error = f"answered {response.status}, not {subscriber.success}"
            # A webhook without retries asks for one attempt for each event, whatever the
            # receiver answers: 410 then does not disable the webhook.
            is_gone = (
                response.status == 410
                and bool(subscriber.retry.waits)
                and delivery.trigger is not AttemptTrigger.TEST
            )
            wait = self._find_wait(response)
            if not is_gone:
                retry_at = self._find_retry(subscriber, delivery, wait)
            if wait and response.status in _ASKS_FOR_WAIT:
                waits_until = self._clock.now() + min(timedelta(seconds=wait), WAIT_LIMIT)
        return AttemptResult(
            delivery,
            now,
            response.duration,
            response.status,
            error,
            None if error is None else ErrorClass.STATUS,
            response.body,
            response.problem,
            retry_at,
            waits_until,
            is_gone,
        )

    def _find_wait(self, response: EgressResponse) -> float | None:
        retry_after = response.headers.get("Retry-After")
        return None if retry_after is None else parse_retry_after(retry_after, self._clock.now())

    def _find_retry(
        self, subscriber: Subscriber, delivery: PendingDelivery, retry_after: float | None
    ) -> datetime | None:
        if delivery.trigger in _WITHOUT_RETRY:
            return None
        wait = subscriber.retry.delay_after(
            delivery.attempts + 1, retry_after=retry_after, chance=self._chance()
        )
        return None if wait is None else self._clock.now() + timedelta(seconds=wait)


def _describe_error(error: Exception) -> tuple[ErrorClass, str]:
    if isinstance(error, TimeoutError):
        return ErrorClass.TIMEOUT, "timeout: no answer in time"
    if isinstance(error, ForbiddenAddress):
        return ErrorClass.FORBIDDEN, f"forbidden address: {error}"
    if isinstance(error, RequestFailed):
        return ErrorClass(error.step), f"connection: {error}"
    # A mistake in this code: the log gets the traceback, the user a short text.
    _log.error("attempt failed unexpectedly", exc_info=error)
    return ErrorClass.UNEXPECTED, f"unexpected: {describe_exception(error)}"
