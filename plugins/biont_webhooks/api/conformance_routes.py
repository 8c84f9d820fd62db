"""REST route that checks the receiver of a webhook."""

from __future__ import annotations

from pydantic import Field

from biont import Api, Request, RowId, Schema, Scope
from biont_webhooks.api.narrowing import check_webhook
from biont_webhooks.receiver_testing.conformance import Grade, Result
from biont_webhooks.receiver_testing.conformance_cases import Expected
from biont_webhooks.receiver_testing.webhook_checks import RECEIVER_CHECKS
from biont_webhooks.tables import Webhook

api = Api("webhooks")


class CheckedCase(Schema):
    """Request of a check, with the answer of the receiver."""

    name: str
    sent: str = Field(description="Description of the request.")
    expected: Expected = Field(description="Answer that a receiver should give.")
    answered: int | None = Field(description="HTTP status; null for no answer.")
    summary: str = Field(description="The answer in words.")
    grade: Grade
    advice: str | None = Field(description="Remedy; null for the grade `ok`.")


class ReceiverCheck(Schema):
    """Report of a check."""

    passed: bool = Field(description="True if all cases were sent, and none has failed.")
    problem: str | None = Field(
        description="Reason why not all cases were sent; null if all were sent."
    )
    cases: list[CheckedCase] = Field(description="The cases that were sent, in order.")


@api.post(
    "/webhooks/outgoing/{webhook_id}/conformance", scopes=frozenset({Scope.WEBHOOK}), status=200
)
async def check_receiver(request: Request, webhook_id: RowId) -> ReceiverCheck:
    """Check the receiver of a webhook with valid and invalid requests.

    Some 17 requests go to the URL of the webhook, one after the other, with its secret and its
    headers: right, repeated, old, forged, incomplete, large and slow ones. Valid requests have
    the event type `webhook_test`, so a receiver should do nothing for these. The answer comes
    within about 30 seconds. Nothing is stored, and the webhook is never disabled by a check. The
    status is 409 while another check of the webhook is under way.
    """
    await check_webhook(request, webhook_id)
    workbench = request.workbench
    webhook = await workbench.store.read(Webhook.get_owned, request.user_id, webhook_id)
    report = await workbench.get(RECEIVER_CHECKS).check(webhook)
    return ReceiverCheck(
        passed=report.is_passed,
        problem=report.problem,
        cases=[_make_view(result) for result in report.results],
    )


def _make_view(result: Result) -> CheckedCase:
    return CheckedCase(
        name=result.case.name,
        sent=result.case.sent,
        expected=result.case.expected,
        answered=result.answered,
        summary=result.summary,
        grade=result.grade,
        advice=result.advice,
    )
