"""Public route of inbound webhooks: ``POST /hooks/<token>``."""

from __future__ import annotations

from typing import Annotated

import orjson
from aiohttp import web
from pydantic import Field

from biont import Api, Request, Schema, Service
from biont.exceptions import NotFound
from biont.http import ADMISSION, Dialect, ProblemDetails
from biont_inbound.active_webhooks import ActiveWebhooks
from biont_inbound.reception import receive_request
from biont_inbound.settings import InboundSettings
from biont_inbound.tables import Verdict

ACTIVE_WEBHOOKS = Service[ActiveWebhooks]("inbound webhooks", provider="inbound")
"""All inbound webhooks, by the token in the URL."""


class InboundReceipt(Schema):
    """Answer to a request of another system."""

    status: Verdict
    reason: str | None = None
    event_id: str | None = None


def _write_refusal(_: web.Request, problem: ProblemDetails) -> web.Response:
    """Return a refusal: senders log the body, and know no problem documents."""
    reason = problem.detail
    if problem.errors:
        places = (f"{each.get('pointer', '')} {each.get('detail', '')}" for each in problem.errors)
        reason = "; ".join(places)
    content = InboundReceipt(status=Verdict.REFUSED, reason=reason)
    return web.Response(
        body=orjson.dumps(content.model_dump()),
        status=problem.status,
        headers=problem.headers,
        content_type="application/json",
    )


api = Api(
    "inbound", root="", dialect=Dialect(write_problem=_write_refusal, problem=InboundReceipt)
)


@api.post(
    "/hooks/{token}",
    public=True,
    counts_itself=True,
    takes_any_query=True,
    status=202,
    operation="receive_inbound_request",
    media_type="application/json",
    problems=(400, 401, 403, 404, 409, 413, 415, 422),
)
async def receive(
    request: Request, token: Annotated[str, Field(min_length=1, max_length=200)]
) -> web.Response:
    """Receive a request of another system.

    The status is 202 for an accepted request, after the commit of its event; 200 for a repeated
    request, and for a request that the filter leaves out; 401 for a wrong signature.
    """
    webhook = request.workbench.get(ACTIVE_WEBHOOKS).find(token)
    if webhook is None:
        # Guesses count against the address, as other requests without a key do.
        await request.workbench.get(ADMISSION).admit_stranger(request.http)
        raise NotFound("there is no inbound webhook with this URL")
    receipt = await receive_request(
        webhook, request.http, _find_url(request), request.client_address, request.workbench
    )
    if receipt.challenge is not None:
        return web.json_response({"challenge": receipt.challenge})
    content = InboundReceipt(
        status=receipt.verdict, reason=receipt.reason, event_id=receipt.event_id
    )
    return web.Response(
        body=orjson.dumps(content.model_dump()),
        status=202 if receipt.verdict is Verdict.ACCEPTED else 200,
        content_type="application/json",
    )


def make_url(request: Request, token: str) -> str:
    """Return the URL of a token, as other systems reach it."""
    public = request.workbench.plugin_settings("inbound", InboundSettings).public_url
    root = str(request.http.url.origin()) if public is None else public.rstrip("/")
    return f"{root}/hooks/{token}"


def _find_url(request: Request) -> str:
    """Return the URL of a request as its sender knows it: some senders sign the URL."""
    public = request.workbench.plugin_settings("inbound", InboundSettings).public_url
    root = str(request.http.url.origin()) if public is None else public.rstrip("/")
    return root + request.http.raw_path
