"""Conformance check of the receiver of a webhook, by the workbench itself.

The requests leave through the egress guard, with the secret and the custom headers of the webhook,
as deliveries do. These requests are no deliveries: nothing about these is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from biont import Service, Workbench
from biont.exceptions import BiontError, Conflict
from biont_webhooks.receiver_testing.conformance import Conditions, Grade, Result, try_receiver
from biont_webhooks.receiver_testing.conformance_cases import list_cases
from biont_webhooks.settings import WebhookSettings
from biont_webhooks.subscription.retry_policy import Success
from biont_webhooks.subscription.subscriber import load_headers
from biont_webhooks.tables import Webhook

TIME_LIMIT = 30.0
"""Seconds that a whole check may take, because a client waits for the answer."""

_SLOW_BODY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """Report of a check.

    Attributes:
        results: the results of the cases that were sent, in order.
        problem: the reason why not all cases were sent; None if all were.
    """

    results: list[Result] = field(default_factory=list)
    problem: str | None = None

    @property
    def is_passed(self) -> bool:
        """True if all cases were sent, and no case has failed."""
        has_failed = any(result.grade is Grade.FAILED for result in self.results)
        return self.problem is None and not has_failed


class ReceiverChecks:
    """Checks under way, one for each webhook: a check is much work for a receiver.

    Args:
        workbench: the workbench with the egress guard and the vault.
    """

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._active: set[int] = set()

    async def check(self, webhook: Webhook) -> ReceiverReport:
        """Send all cases to the receiver of a webhook, within `TIME_LIMIT`.

        Raises:
            Conflict: a check of this webhook is under way.
        """
        results: list[Result] = []
        with self._hold(webhook.id):
            try:
                async with asyncio.timeout(TIME_LIMIT) as deadline:
                    await self._collect(webhook, results)
            except TimeoutError:
                if not deadline.expired():
                    raise
                problem = f"the check ended after {TIME_LIMIT:g} s; the other cases were not sent"
                return ReceiverReport(results, problem)
            except BiontError as error:
                # The receiver does not answer at all, or its address is forbidden.
                return ReceiverReport(results, str(error))
        return ReceiverReport(results)

    async def _collect(self, webhook: Webhook, results: list[Result]) -> None:
        workbench = self._workbench
        settings = workbench.plugin_settings("webhooks", WebhookSettings)
        secret = workbench.vault.decrypt(webhook.secret)
        headers = load_headers(webhook, workbench.vault)
        policy = workbench.egress.policy
        conditions = Conditions(
            policy=policy,
            answer_timeout=settings.timeout,
            slow_body_seconds=_SLOW_BODY_SECONDS,
            success=Success(webhook.success),
            ca_file=workbench.settings.egress.ca_file,
        )
        cases = list_cases(workbench.clock, secret, None, headers)
        async for result in try_receiver(policy.check_url(webhook.url), cases, conditions):
            results.append(result)  # noqa: PERF401  # a timeout keeps the results so far

    @contextmanager
    def _hold(self, webhook_id: int) -> Iterator[None]:
        if webhook_id in self._active:
            raise Conflict(f"a check of webhook {webhook_id} is under way; wait for its end")
        self._active.add(webhook_id)
        try:
            yield
        finally:
            self._active.discard(webhook_id)


RECEIVER_CHECKS = Service[ReceiverChecks]("receiver checks", provider="webhooks")
"""Checks of receivers."""
