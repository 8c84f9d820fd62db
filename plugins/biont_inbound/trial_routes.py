"""REST route that tries a pasted request, without any effect."""

from __future__ import annotations

from biont import Api, Request, RowId
from biont.exceptions import BiontError
from biont_inbound.acting import plan_action
from biont_inbound.message import IncomingMessage
from biont_inbound.reception import Judgement, judge_message, judge_verified
from biont_inbound.reception_routes import ACTIVE_WEBHOOKS, make_url
from biont_inbound.schemas import InboundTrial, TriedInboundRequest
from biont_inbound.signatures import find_id
from biont_inbound.tables import InboundWebhook, Verdict

api = Api("inbound")


@api.post(
    "/webhooks/incoming/{inbound_id}/try",
    status=200,
    narrowable=False,
    operation="try_inbound_webhook",
    example={
        "headers": {"x-github-event": "issues", "content-type": "application/json"},
        "body": '{"action": "opened", "issue": {"title": "It hangs"}}',
        "check_signature": False,
    },
)
async def try_request(
    request: Request, inbound_id: RowId, body: TriedInboundRequest
) -> InboundTrial:
    """Try a request that you paste: the verdict, and the action that would follow.

    Nothing is stored and nothing acts.
    """
    workbench = request.workbench
    webhooks = workbench.get(ACTIVE_WEBHOOKS)
    row = await workbench.store.read(InboundWebhook.get_owned, request.user_id, inbound_id)
    webhook = webhooks.make(row)
    headers = {name.lower(): value for name, value in body.headers.items()}
    headers.setdefault("content-type", "application/json")
    message = IncomingMessage(headers, body.query, body.body.encode(), make_url(request, "TOKEN"))
    try:
        if body.check_signature:
            judgement = judge_message(webhook, message, workbench.clock.now())
        else:
            judgement = judge_verified(webhook, message, find_id(webhook.template, message))
        if judgement.receipt is not None:
            return _make_trial(judgement.receipt.verdict, judgement.receipt.reason, judgement)
        plan = plan_action(webhook, judgement.document, workbench)
    except BiontError as error:
        return InboundTrial(
            verdict=Verdict.REFUSED, reason=str(error), event=None, delivery_id=None, action=None
        )
    trial = _make_trial(Verdict.ACCEPTED, None, judgement)
    trial.action = dict(plan.preview)
    return trial


def _make_trial(verdict: Verdict, reason: str | None, judgement: Judgement) -> InboundTrial:
    return InboundTrial(
        verdict=verdict,
        reason=reason,
        event=judgement.event,
        delivery_id=judgement.delivery_id,
        action=None,
    )
