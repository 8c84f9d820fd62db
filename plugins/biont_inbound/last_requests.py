"""Last requests of an inbound webhook, kept with their verdicts for the search for mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from biont.store import dump_json
from biont_inbound.message import CREDENTIALS, IncomingMessage
from biont_inbound.tables import InboundRequest, InboundWebhook, Verdict

MOST_REQUESTS = 10
"""The number of requests of a webhook that are kept."""

_BODY_LIMIT = 16_384
_HEADER_LIMIT = 500
_MOST_HEADERS = 100
_MASK = "(hidden)"


@dataclass(frozen=True)
class RequestRecord:
    """Request to keep.

    Attributes:
        webhook_id: the webhook.
        user_id: the owner of the webhook.
        address: the address of the client.
        message: the request.
        received_at: the instant at which the request came.
        secrets: the secrets of the webhook, which some senders send as they are.
    """

    webhook_id: int
    user_id: int
    address: str
    message: IncomingMessage
    received_at: datetime
    secrets: Sequence[str]


def record_request(
    record: RequestRecord, verdict: Verdict, reason: str | None = None, event_id: str | None = None
) -> None:
    """Keep a request, and delete all but the last `MOST_REQUESTS` of its webhook.

    A request of a webhook that was deleted meanwhile is not kept.
    """
    if not InboundWebhook.select().where(InboundWebhook.id == record.webhook_id).exists():
        return
    InboundRequest.create(
        user=record.user_id,
        webhook=record.webhook_id,
        verdict=verdict,
        reason=reason,
        address=record.address,
        headers=dump_json(_show_headers(record)),
        body=_mask(record.message.content.decode(errors="replace"), record.secrets)[:_BODY_LIMIT],
        event_id=event_id,
        received_at=record.received_at,
    )
    mine = InboundRequest.webhook == record.webhook_id
    newest = (
        InboundRequest.select(InboundRequest.id)
        .where(mine)
        .order_by(InboundRequest.id.desc())
        .limit(MOST_REQUESTS)
    )
    InboundRequest.delete().where(mine, InboundRequest.id.not_in(newest)).execute()


def _mask(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, _MASK)
    return text


def _show_headers(record: RequestRecord) -> dict[str, str]:
    shown = list(record.message.headers.items())[:_MOST_HEADERS]
    return {
        name: _MASK if name in CREDENTIALS else _mask(value, record.secrets)[:_HEADER_LIMIT]
        for name, value in shown
    }
