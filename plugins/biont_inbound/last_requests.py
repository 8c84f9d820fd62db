"""Last requests of an inbound webhook, kept with their verdicts for the search for mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from biont.store import dump_json
from biont_inbound.message import IncomingMessage
from biont_inbound.tables import InboundRequest, Verdict

MOST_REQUESTS = 10
"""The number of requests of a webhook that are kept."""

_BODY_LIMIT = 16_384
_HEADER_LIMIT = 500
_MOST_HEADERS = 100
# Credentials, and headers that hold the secret itself; a signature reveals nothing.
_HIDDEN = ("authorization", "cookie", "proxy-authorization", "x-api-key", "x-gitlab-token")


@dataclass(frozen=True)
class RequestRecord:
    """Request to keep.

    Attributes:
        webhook_id: the webhook.
        user_id: the owner of the webhook.
        address: the address of the client.
        message: the request.
        received_at: the instant at which the request came.
    """

    webhook_id: int
    user_id: int
    address: str
    message: IncomingMessage
    received_at: datetime


def record_request(
    record: RequestRecord, verdict: Verdict, reason: str | None = None, event_id: str | None = None
) -> None:
    """Keep a request, and delete all but the last `MOST_REQUESTS` of its webhook."""
    InboundRequest.create(
        user=record.user_id,
        webhook=record.webhook_id,
        verdict=verdict,
        reason=reason,
        address=record.address,
        headers=dump_json(_show_headers(record.message.headers)),
        body=record.message.content[:_BODY_LIMIT].decode(errors="replace"),
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


def _show_headers(headers: Mapping[str, str]) -> dict[str, str]:
    shown = list(headers.items())[:_MOST_HEADERS]
    return {
        name: "(hidden)"
        if name in _HIDDEN
        else value[:_HEADER_LIMIT].encode(errors="replace").decode()
        for name, value in shown
    }
