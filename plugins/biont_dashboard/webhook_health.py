"""Health of webhooks, as the pages show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from biont_dashboard.visit import Object, Visit, list_objects

RECENT = 20
"""The number of the newest deliveries that the health is made of."""


@dataclass(frozen=True, slots=True)
class WebhookHealth:
    """Health of a webhook, from its state and its newest deliveries.

    Attributes:
        webhook: the webhook, as the API shows it.
        state: the state in a word.
        tone: the tone of the word.
        hint: the reason; empty without.
        times: the milliseconds of the last attempt of the newest deliveries, the oldest first.
        succeeded: the number of newest deliveries that have succeeded.
        failed: the number of newest deliveries that have failed.
        pending: the number of newest deliveries that are pending.
    """

    webhook: Object
    state: str
    tone: str
    hint: str
    times: Sequence[int]
    succeeded: int
    failed: int
    pending: int


async def read_health(visit: Visit, webhook: Object) -> WebhookHealth:
    """Read the newest deliveries of a webhook, and return the health."""
    path = f"/api/v1/webhooks/outgoing/{webhook['id']}/deliveries"
    rows = await visit.read_rows(path, limit=RECENT, fields="id,status,attempts")
    counts = dict.fromkeys(("succeeded", "failed", "pending"), 0)
    times: list[int] = []
    for row in rows:
        counts[str(row["status"])] += 1
        attempts = list_objects(row, "attempts")
        duration = attempts[-1]["duration_ms"] if attempts else None
        if isinstance(duration, int):
            times.append(duration)
    state, tone, hint = _judge(webhook, counts)
    return WebhookHealth(webhook, state, tone, hint, times[::-1], **counts)


def _judge(webhook: Object, counts: dict[str, int]) -> tuple[str, str, str]:
    status = str(webhook["status"])
    if status == "disabled":
        return status, "fail", str(webhook["disabled_reason"] or "")
    if status == "paused":
        return status, "off", "Nothing is sent until you resume it."
    if webhook["failing_since"] is not None:
        return "failing", "fail", "No attempt has succeeded since then."
    if webhook["waits_until"] is not None:
        return "waiting", "wait", "The receiver has asked for a pause."
    if counts["succeeded"]:
        return "healthy", "ok", ""
    return "unused", "off", "There are no deliveries yet."
