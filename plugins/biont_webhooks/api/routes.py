"""REST routes of webhooks: register, list, read, change, pause, resume, rotate, delete."""

from __future__ import annotations

import orjson

from biont import Api, Page, Request, RowId, Scope
from biont.exceptions import ForbiddenAddress, InputProblem, InvalidInput
from biont.http import ListQuery, make_page
from biont_webhooks.api.bulk_acts import begin_deletion
from biont_webhooks.api.narrowing import check_webhook
from biont_webhooks.api.schemas import (
    ChangedWebhook,
    CreatedWebhook,
    NewSecret,
    NewWebhook,
    RegisteredWebhook,
    WebhookChange,
    WebhookView,
    list_changes,
    list_columns,
    make_webhook_view,
)
from biont_webhooks.service.webhooks import WEBHOOKS
from biont_webhooks.subscription.pattern_warnings import list_warnings
from biont_webhooks.subscription.signing import generate_secret
from biont_webhooks.tables import Webhook

SCOPES = frozenset({Scope.WEBHOOK})
WEBHOOK = "/webhooks/outgoing/{webhook_id}"

api = Api("webhooks", description="Webhooks, their deliveries and their explanation.")


def _find_webhook(request: Request, webhook_id: RowId) -> WebhookView:
    return _make_view(request, Webhook.get_owned(request.user_id, webhook_id))


@api.post(
    "/webhooks/outgoing/register",
    quota="webhooks",
    scopes=SCOPES,
    location="/webhooks/outgoing/{id}",
    example={"url": "https://example.com/hook", "event_types": ["note_created"]},
)
async def register_webhook(request: Request, body: NewWebhook) -> RegisteredWebhook:
    """Register a URL that gets a signed POST request for each matching event.

    `warnings` names the event types that no plugin declares. A key sees all events to which it may
    subscribe: of scope `webhook` too, these are all events of its user, unless the key is narrowed
    to some `events`.
    """
    request.use_events(body.event_types)
    _check_url(request, body.url)
    secret = body.secret or generate_secret()
    webhook = await request.workbench.get(WEBHOOKS).register(
        request.user_id, secret, list_columns(body, request.workbench.vault)
    )
    return RegisteredWebhook(
        secret=secret,
        warnings=_list_warnings(request, webhook),
        **_make_view(request, webhook).model_dump(),
    )


@api.get("/webhooks/outgoing", scopes=SCOPES)
async def list_webhooks(
    request: Request,
    query: ListQuery,
) -> Page[WebhookView]:
    """List your webhooks, the newest first.

    The secrets are not shown.
    """
    rows = await request.workbench.store.read(
        Webhook.read_page, request.user_id, query.limit, query.span
    )
    return make_page(
        rows, query.limit, lambda webhook: webhook.id, lambda webhook: _make_view(request, webhook)
    )


@api.get(WEBHOOK, scopes=SCOPES)
async def read_webhook(request: Request, webhook_id: RowId) -> WebhookView:
    """Read a webhook.

    The secret is not shown.
    """
    return await request.workbench.store.read(_find_webhook, request, webhook_id)


@api.patch(WEBHOOK, scopes=SCOPES, example={"event_types": ["note_*"]}, present=_find_webhook)
async def change_webhook(
    request: Request, webhook_id: RowId, body: WebhookChange
) -> ChangedWebhook:
    """Change a webhook by a merge patch; pending deliveries use the new values.

    `warnings` names the event types that no plugin declares. A key that is narrowed to some
    `events` may change a webhook for these only.
    """
    await check_webhook(request, webhook_id)
    if "event_types" in body.model_fields_set:
        request.use_events(body.event_types)
    if "url" in body.model_fields_set:
        _check_url(request, body.url)
    vault = request.workbench.vault
    webhook = await request.workbench.get(WEBHOOKS).change(
        request.user_id, webhook_id, lambda present: list_changes(body, present, vault)
    )
    return ChangedWebhook(
        warnings=_list_warnings(request, webhook), **_make_view(request, webhook).model_dump()
    )


@api.post(f"{WEBHOOK}/pause", scopes=SCOPES, status=200)
async def pause_webhook(request: Request, webhook_id: RowId) -> WebhookView:
    """Pause a webhook: no deliveries are created, and pending deliveries wait, until a resume.

    A test and a resend are attempted all the same.
    """
    await check_webhook(request, webhook_id)
    return _make_view(
        request, await request.workbench.get(WEBHOOKS).pause(request.user_id, webhook_id)
    )


@api.post(f"{WEBHOOK}/resume", scopes=SCOPES, status=200)
async def resume_webhook(request: Request, webhook_id: RowId) -> WebhookView:
    """Resume a webhook that was paused, or disabled because its receiver kept failing.

    Events from the time in between have no deliveries; `replay` creates these deliveries.
    """
    await check_webhook(request, webhook_id)
    return _make_view(
        request, await request.workbench.get(WEBHOOKS).resume(request.user_id, webhook_id)
    )


@api.post(
    f"{WEBHOOK}/rotate-secret",
    scopes=SCOPES,
    status=200,
    example={"secret": "a-secret-of-my-own-with-32-characters"},
)
async def rotate_secret(
    request: Request, webhook_id: RowId, body: NewSecret | None = None
) -> CreatedWebhook:
    """Replace the secret of a webhook; for a while the old secret signs requests too.

    Each secret of an earlier rotation signs until its own time is up. With twenty such secrets the
    answer is 409.
    """
    await check_webhook(request, webhook_id)
    secret = (body.secret if body else None) or generate_secret()
    webhook = await request.workbench.get(WEBHOOKS).rotate_secret(
        request.user_id, webhook_id, secret
    )
    return _make_view_with_secret(request, webhook, secret)


@api.delete(WEBHOOK, scopes=SCOPES, present=_find_webhook)
async def delete_webhook(request: Request, webhook_id: RowId) -> None:
    """Delete a webhook with its deliveries; pending deliveries are not attempted.

    The webhook is gone at once, and its running operations are cancelled. Its deliveries are
    deleted in the background, by an operation of the kind `webhook_delete`.
    """
    await check_webhook(request, webhook_id)
    await begin_deletion(request, webhook_id)


def _check_url(request: Request, url: str) -> None:
    # The address is checked again at each attempt, because names may resolve otherwise then.
    try:
        request.workbench.egress.policy.check_url(url)
    except ForbiddenAddress as error:
        raise InvalidInput(InputProblem(str(error), "#/url")) from error


def _list_warnings(request: Request, webhook: Webhook) -> list[str]:
    known = [known.name for known in request.workbench.events.event_types]
    return list_warnings(orjson.loads(webhook.event_types), known)


def _make_view(request: Request, webhook: Webhook) -> WebhookView:
    workbench = request.workbench
    return make_webhook_view(webhook, workbench.vault, workbench.clock.now())


def _make_view_with_secret(request: Request, webhook: Webhook, secret: str) -> CreatedWebhook:
    return CreatedWebhook(secret=secret, **_make_view(request, webhook).model_dump())
