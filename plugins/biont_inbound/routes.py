"""REST routes of inbound webhooks: create, list, read, change, rotate, try and delete."""

from __future__ import annotations

from datetime import timedelta

from biont import Api, Page, Request, RowId
from biont.http import ListQuery, make_page
from biont.llm import TOOLS, check_tool_names
from biont_inbound.actions import AnyAction, StartMission
from biont_inbound.presets import PRESETS
from biont_inbound.reception_routes import ACTIVE_WEBHOOKS, make_url
from biont_inbound.schemas import (
    CreatedInboundWebhook,
    InboundDeliveryView,
    InboundPresetView,
    InboundRequestView,
    InboundSecret,
    InboundUrl,
    InboundWebhookChange,
    InboundWebhookView,
    NewInboundWebhook,
    RotatedInboundSecret,
    make_delivery_view,
    make_request_view,
    make_view,
)
from biont_inbound.settings import InboundSettings
from biont_inbound.tables import InboundDelivery, InboundRequest, InboundWebhook
from biont_inbound.webhooks import (
    change_webhook,
    choose_secret,
    delete_webhook,
    find_last_end,
    insert_webhook,
    make_token,
    rotate_secret,
    rotate_token,
)
from biont_webhooks import generate_secret

WEBHOOK = "/webhooks/incoming/{inbound_id}"

api = Api(
    "inbound",
    description="URLs at which other systems start events, prompts, missions and notes.",
)


def _find_webhook(request: Request, inbound_id: RowId) -> InboundWebhookView:
    return _make_view(request, InboundWebhook.get_owned(request.user_id, inbound_id))


def _make_view(request: Request, row: InboundWebhook) -> InboundWebhookView:
    return make_view(row, find_last_end(row, request.workbench.clock.now()))


@api.post(
    "/webhooks/incoming",
    quota="inbound_webhooks",
    narrowable=False,
    operation="create_inbound_webhook",
    location="/webhooks/incoming/{id}",
    example={
        "name": "Issues of our repository",
        "preset": "github",
        "filter": {"path": "event", "op": "eq", "value": "issues"},
        "action": {
            "kind": "prompt",
            "prompt": "Summarise this issue: {{ body.issue.title }} {{ body.issue.body }}",
        },
    },
)
async def create(request: Request, body: NewInboundWebhook) -> CreatedInboundWebhook:
    """Create a URL at which another system starts an action for you.

    `url` and `secret` are shown once. The sender's signature is checked before anything else; a
    request is answered 202 after the commit of its event, and a repeated request 200 without a
    second action.
    """
    _check_tools(request, body.action)
    workbench = request.workbench
    token, secret = make_token(), choose_secret(body)
    encrypted = None if secret is None else workbench.vault.encrypt(secret)
    row = await workbench.store.write(
        insert_webhook, request.user_id, body, token, encrypted, workbench.clock.now()
    )
    await workbench.get(ACTIVE_WEBHOOKS).load()
    return CreatedInboundWebhook(
        url=make_url(request, token),
        secret=secret,
        help=PRESETS[body.preset].help,
        **dict(_make_view(request, row)),
    )


@api.get("/webhooks/incoming/presets", operation="list_inbound_presets")
async def list_presets(request: Request) -> Page[InboundPresetView]:
    """List the known senders, each with its signature and the place of its secret."""
    del request
    views = [
        InboundPresetView(
            name=name,
            title=preset.title,
            signature=preset.template,
            event=preset.event,
            makes_secret=preset.makes_secret,
            help=preset.help,
            docs=preset.docs,
        )
        for name, preset in PRESETS.items()
    ]
    return Page(data=views, next=None)


@api.get("/webhooks/incoming", operation="list_inbound_webhooks")
async def list_webhooks(request: Request, query: ListQuery) -> Page[InboundWebhookView]:
    """List your inbound webhooks, the newest first.

    URLs and secrets are not shown.
    """
    rows = await request.workbench.store.read(
        InboundWebhook.read_page, request.user_id, query.limit, query.span
    )
    return make_page(rows, query.limit, lambda row: row.id, lambda row: _make_view(request, row))


@api.get(WEBHOOK, operation="read_inbound_webhook")
async def read(request: Request, inbound_id: RowId) -> InboundWebhookView:
    """Read an inbound webhook.

    URL and secret are not shown.
    """
    return await request.workbench.store.read(_find_webhook, request, inbound_id)


@api.patch(
    WEBHOOK,
    narrowable=False,
    operation="change_inbound_webhook",
    example={"paused": True},
    present=_find_webhook,
)
async def change(
    request: Request, inbound_id: RowId, body: InboundWebhookChange
) -> InboundWebhookView:
    """Change an inbound webhook by a merge patch.

    `action` and `filter` are replaced as a whole. `secret` replaces the secret at once, while
    `rotate-secret` accepts the former one for some time.
    """
    if "action" in body.model_fields_set:
        _check_tools(request, body.action)
    workbench = request.workbench
    row = await workbench.store.write(
        change_webhook, request.user_id, inbound_id, body, workbench.vault, workbench.clock.now()
    )
    await workbench.get(ACTIVE_WEBHOOKS).load()
    return _make_view(request, row)


@api.delete(WEBHOOK, narrowable=False, operation="delete_inbound_webhook", present=_find_webhook)
async def delete(request: Request, inbound_id: RowId) -> None:
    """Delete an inbound webhook with its requests; the URL ends at once.

    Events, notes and missions stay.
    """
    await request.workbench.store.write(delete_webhook, request.user_id, inbound_id)
    await request.workbench.get(ACTIVE_WEBHOOKS).load()


@api.post(
    f"{WEBHOOK}/rotate-secret",
    status=200,
    narrowable=False,
    operation="rotate_inbound_secret",
    example={"secret": "0a1b2c3d4e5f"},
)
async def rotate_inbound_secret(
    request: Request, inbound_id: RowId, body: InboundSecret | None = None
) -> RotatedInboundSecret:
    """Replace the secret; the former secret is accepted for a while too.

    The status is 409 for a webhook without signature.
    """
    workbench, now = request.workbench, request.workbench.clock.now()
    overlap = workbench.plugin_settings("inbound", InboundSettings).rotation_overlap
    secret = (body or InboundSecret(secret=None)).secret or generate_secret()
    row = await workbench.store.write(
        rotate_secret,
        request.user_id,
        inbound_id,
        secret,
        workbench.vault,
        now,
        now + timedelta(seconds=overlap),
    )
    await workbench.get(ACTIVE_WEBHOOKS).load()
    return RotatedInboundSecret(secret=secret, previous_secrets_until=find_last_end(row, now))


@api.post(f"{WEBHOOK}/rotate-url", status=200, narrowable=False, operation="rotate_inbound_url")
async def rotate_url(request: Request, inbound_id: RowId) -> InboundUrl:
    """Give the inbound webhook another URL, shown once; the former URL ends at once.

    Do so when the URL has become known to others.
    """
    workbench, token = request.workbench, make_token()
    await workbench.store.write(
        rotate_token, request.user_id, inbound_id, token, workbench.clock.now()
    )
    await workbench.get(ACTIVE_WEBHOOKS).load()
    return InboundUrl(url=make_url(request, token))


@api.get(f"{WEBHOOK}/requests", operation="list_inbound_requests")
async def list_requests(
    request: Request, inbound_id: RowId, query: ListQuery
) -> Page[InboundRequestView]:
    """List the last ten requests of an inbound webhook with their verdicts, the newest first.

    Requests beyond the rate are not kept. Credentials are hidden.
    """

    def select() -> list[InboundRequest]:
        InboundWebhook.get_owned(request.user_id, inbound_id)
        mine = InboundRequest.webhook == inbound_id
        return InboundRequest.read_page(request.user_id, query.limit, query.span, mine)

    rows = await request.workbench.store.read(select)
    return make_page(rows, query.limit, lambda row: row.id, make_request_view)


@api.get(f"{WEBHOOK}/deliveries", operation="list_inbound_deliveries")
async def list_deliveries(
    request: Request, inbound_id: RowId, query: ListQuery
) -> Page[InboundDeliveryView]:
    """List the accepted requests of an inbound webhook with their results, the newest first.

    They are kept for `plugins.inbound.keep_days` days.
    """

    def select() -> list[InboundDelivery]:
        InboundWebhook.get_owned(request.user_id, inbound_id)
        mine = InboundDelivery.webhook == inbound_id
        return InboundDelivery.read_page(request.user_id, query.limit, query.span, mine)

    rows = await request.workbench.store.read(select)
    return make_page(rows, query.limit, lambda row: row.id, make_delivery_view)


def _check_tools(request: Request, action: AnyAction) -> None:
    if isinstance(action, StartMission) and action.tools is not None:
        check_tool_names(request.workbench.get(TOOLS), action.tools, "#/action/tools")
