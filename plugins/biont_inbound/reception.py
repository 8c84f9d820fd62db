"""Reception of requests: the steps from the first byte to the answer.

    token -> rate, address -> body -> signature and time -> filter -> one transaction
                                                                        |-- known id: nothing
                                                                        `-- event, action, record

A request is answered 202 only after the commit of its event and action. A repetition with a known
id is answered 200 and does nothing, because senders repeat requests whose answer they have lost.
Refusals are recorded too, so that the user sees why a sender fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from biont import JsonObject, Transaction, Workbench
from biont.events import caused_by
from biont.exceptions import (
    BiontError,
    Conflict,
    Forbidden,
    NotFound,
    RateExceeded,
    StoreUnavailable,
    Unauthorized,
)
from biont.http import read_body
from biont_inbound.acting import Act, plan_action
from biont_inbound.active_webhooks import ActiveWebhook
from biont_inbound.event_types import INBOUND_RECEIVED
from biont_inbound.last_requests import RequestRecord, record_request
from biont_inbound.message import IncomingMessage
from biont_inbound.signatures import verify_message
from biont_inbound.tables import InboundDelivery, InboundWebhook, Verdict
from biont_webhooks import MISSING, make_finder

_STAMP_INTERVAL = timedelta(seconds=1)


@dataclass(frozen=True)
class Receipt:
    """Verdict on a request.

    Attributes:
        verdict: the verdict.
        reason: the reason, as a sentence; None for an accepted request.
        event_id: the event of an accepted request.
        challenge: the text that the sender wants back, in a handshake.
    """

    verdict: Verdict
    reason: str | None = None
    event_id: str | None = None
    challenge: str | None = None


@dataclass(frozen=True)
class Judgement:
    """Result of all checks of a request that need no transaction.

    Attributes:
        receipt: the verdict, if the request does not act; None if the request acts.
        document: the document of the request.
        delivery_id: the id of the request; None if the sender gives none.
        event: the sender's name of the event.
    """

    receipt: Receipt | None
    document: JsonObject
    delivery_id: str | None
    event: str | None


async def receive_request(
    webhook: ActiveWebhook, http: web.Request, url: str, address: str, workbench: Workbench
) -> Receipt:
    """Answer a request of another system; act if the request passes all checks.

    Args:
        webhook: the webhook.
        http: the request.
        url: the URL of the request, as the sender knows it.
        address: the address of the client.
        workbench: the workbench.

    Raises:
        RateExceeded: there were too many requests; this one is not recorded.
        BiontError: the request is refused.
        StoreUnavailable: nothing was written; the sender may repeat the request.
    """
    now = workbench.clock.now()
    # Before the body is read and anything is written: a flood costs as little as possible.
    webhook.limit.take(webhook.id, now.timestamp())
    message = IncomingMessage(read_headers(http), {**http.query}, await read_body(http), url)
    secrets = [secret for secret, _ in webhook.secrets]
    record = RequestRecord(webhook.id, webhook.user_id, address, message, now, secrets)
    try:
        webhook.check_address(address)
        if webhook.paused:
            raise Conflict(f"the webhook {webhook.name!r} is paused; its owner has to resume it")
        if webhook.user_id in workbench.users.disabled:
            raise Forbidden(f"the owner of the webhook {webhook.name!r} is disabled")
        judgement = judge_message(webhook, message, now)
        if judgement.receipt is not None:
            receipt = judgement.receipt
            await workbench.store.write(record_request, record, receipt.verdict, receipt.reason)
            return receipt
        plan = plan_action(webhook, judgement.document, workbench)
        return await workbench.store.transact(_accept, webhook, judgement, plan.act, record)
    except (RateExceeded, StoreUnavailable):
        raise
    except (BiontError, web.HTTPException) as error:
        reason = str(error) if isinstance(error, BiontError) else error.text
        await workbench.store.write(record_request, record, Verdict.REFUSED, reason)
        raise


def judge_message(webhook: ActiveWebhook, message: IncomingMessage, now: datetime) -> Judgement:
    """Check the signature, the time and the filter of a request.

    Raises:
        Unauthorized: the signature or the time is wrong, or the webhook has no secret yet.
        MalformedBody: the body is not what its content type says.
        InvalidInput: the body is JSON that cannot be kept exactly.
    """
    secrets = webhook.list_secrets(now)
    if webhook.template is not None and not secrets:
        raise Unauthorized(
            f"the webhook {webhook.name!r} has no secret yet; its owner has to set the secret of "
            "the sender"
        )
    return judge_verified(
        webhook, message, verify_message(webhook.template, secrets, message, now)
    )


def judge_verified(
    webhook: ActiveWebhook, message: IncomingMessage, delivery_id: str | None
) -> Judgement:
    """Apply the filter to a request whose signature counts as checked.

    Raises:
        MalformedBody: the body is not what its content type says.
        InvalidInput: the body is JSON that cannot be kept exactly.
    """
    document = message.make_document(None, delivery_id)
    event = None
    if webhook.preset.event is not None:
        found = make_finder(webhook.preset.event)(document)
        event = found if found is not MISSING and isinstance(found, str) else None
        document = message.make_document(event, delivery_id)
    return Judgement(_find_receipt(webhook, document), document, delivery_id, event)


def _find_receipt(webhook: ActiveWebhook, document: JsonObject) -> Receipt | None:
    """Return the receipt of a request that does not act: a handshake, or one filtered out."""
    body = document["body"]
    if (
        webhook.preset.challenge
        and isinstance(body, dict)
        and body.get("type") == "url_verification"
    ):
        return Receipt(
            Verdict.HANDSHAKE, "the sender has tried the URL", challenge=str(body.get("challenge"))
        )
    if webhook.filter is not None:
        explanation = webhook.filter.explain(document)
        if not explanation.matches:
            return Receipt(Verdict.FILTERED, f"{explanation.pointer}: {explanation.reason}")
    return None


def read_headers(http: web.Request) -> dict[str, str]:
    """Return the headers with names in lower case; repeated headers are joined by commas."""
    headers: dict[str, str] = {}
    for name, raw in http.headers.items():
        key = name.lower()
        # aiohttp keeps bytes that are no UTF-8 as surrogates, which no column takes.
        value = raw.encode(errors="surrogateescape").decode(errors="replace")
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _accept(
    tx: Transaction, webhook: ActiveWebhook, judgement: Judgement, act: Act, record: RequestRecord
) -> Receipt:
    """Act on a request once; return the receipt."""
    row = InboundWebhook.get_or_none(InboundWebhook.id == webhook.id)
    if row is None:
        raise NotFound("there is no inbound webhook with this URL")
    delivery_id = judgement.delivery_id
    known = _find_known(webhook.id, delivery_id)
    if known is not None:
        receipt = Receipt(Verdict.DUPLICATE, "a request with this id was accepted", known.event_id)
        record_request(record, receipt.verdict, receipt.reason, receipt.event_id)
        return receipt
    event = tx.emit_from_outside(
        INBOUND_RECEIVED.name,
        webhook.user_id,
        {
            "webhook_id": webhook.id,
            "name": webhook.name,
            "preset": webhook.preset_name,
            "event": judgement.document["event"],
            "delivery_id": delivery_id,
            "action": webhook.action.kind,
        },
    )
    delivery = InboundDelivery(
        user=webhook.user_id,
        webhook=webhook.id,
        delivery_id=delivery_id,
        event_id=event.id,
        received_at=record.received_at,
    )
    with caused_by(event):
        act(tx, delivery)
    delivery.save(force_insert=True)
    record_request(record, Verdict.ACCEPTED, None, event.id)
    last = row.last_received_at
    # Not for each request of a burst, because readers need no more.
    if last is None or record.received_at - last >= _STAMP_INTERVAL:
        InboundWebhook.update(last_received_at=record.received_at).where(
            InboundWebhook.id == webhook.id
        ).execute()
    return Receipt(Verdict.ACCEPTED, None, event.id)


def _find_known(webhook_id: int, delivery_id: str | None) -> InboundDelivery | None:
    if delivery_id is None:
        return None
    return InboundDelivery.get_or_none(
        InboundDelivery.webhook == webhook_id, InboundDelivery.delivery_id == delivery_id
    )
