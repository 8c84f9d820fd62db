"""Outgoing webhooks: tell other systems what happens, signed, by HTTP POST."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from pydantic import BaseModel, Field

from biont import (
    Api,
    Cursor,
    Event,
    EventType,
    Limit,
    Page,
    Request,
    RowId,
    Scope,
    Section,
    Tables,
    Transaction,
    Workbench,
    decode_cursor,
    hookimpl,
    make_page,
    on,
)
from biont.exceptions import ForbiddenAddress, InputProblem, InvalidInput
from biont_webhooks.attempts import Attempts
from biont_webhooks.claims import doubt_claims
from biont_webhooks.sender import Sender
from biont_webhooks.signing import generate_secret
from biont_webhooks.subscribers import find_stale_secrets, replace_secrets, select_creditors
from biont_webhooks.subscriptions import Subscriptions
from biont_webhooks.tables import Attempt, Delivery, Message, Webhook
from biont_webhooks.views import (
    CreatedWebhook,
    DeliveryView,
    NewWebhook,
    WebhookView,
    show_delivery,
    show_webhook,
)
from biont_webhooks.webhooks import (
    WEBHOOKS,
    Webhooks,
    select_deliveries,
)

SCOPES = frozenset({Scope.WEBHOOK})

api = Api("webhooks")


class WebhookSettings(Section):
    """How deliveries are made."""

    timeout: float = Field(15.0, gt=0, le=60, description="For one attempt, in seconds.")
    concurrency: int = Field(
        8, ge=1, le=100, description="How many attempts one webhook has under way at most."
    )
    connections: int = Field(
        256, ge=0, le=10_000, description="How many attempts all have beyond one for each."
    )


class WebhookDisabled(BaseModel):
    """Which webhook it is."""

    webhook_id: int
    url: str
    reason: str


WEBHOOK_DISABLED = EventType(
    "webhook_disabled", WebhookDisabled, "A webhook was disabled since its receiver fails."
)


@hookimpl
def register_settings() -> type[WebhookSettings]:
    """Return how deliveries are made."""
    return WebhookSettings


@hookimpl
def register_tables() -> Tables:
    """Return the tables of webhooks."""
    return Tables(Path(__file__).parent / "migrations", [Webhook, Message, Delivery, Attempt])


@hookimpl
def register_event_types() -> Sequence[EventType]:
    """Return ``webhook_disabled``."""
    return [WEBHOOK_DISABLED]


@hookimpl
def register_routes() -> Api:
    """Return the routes of webhooks."""
    return api


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Attempt deliveries while the workbench runs."""
    return _send(workbench)


@asynccontextmanager
async def _send(workbench: Workbench) -> AsyncIterator[None]:
    settings = workbench.plugin_settings("webhooks", WebhookSettings)
    store, vault, clock = workbench.store, workbench.vault, workbench.clock
    stale = await store.read(find_stale_secrets, vault)
    if stale:
        await store.write(replace_secrets, stale)
    if workbench.was_killed:
        await store.write(doubt_claims)
    subscriptions = Subscriptions(store, vault, clock)
    sender = Sender(
        store,
        clock,
        Attempts(workbench.egress, clock, timeout=settings.timeout),
        subscriptions,
        concurrency=settings.concurrency,
        connections=settings.connections,
    )
    workbench.provide(WEBHOOKS, Webhooks(store, vault, clock, subscriptions, sender))
    creditors = await store.read(select_creditors, vault)
    async with sender.run(creditors, workbench.time_to_stop):
        yield


@on("*", transactional=True)
def deliver_events(tx: Transaction, events: Sequence[Event], workbench: Workbench) -> None:
    """Owe each event to the webhooks that have subscribed to it."""
    workbench.get(WEBHOOKS).owe(tx, events)


@api.post("/webhooks/outgoing/register", scopes=SCOPES)
async def register(request: Request, body: NewWebhook) -> CreatedWebhook:
    """Register a URL that gets a signed POST for each event it subscribes to."""
    try:
        request.workbench.egress.policy.check_url(body.url)
    except ForbiddenAddress as error:
        raise InvalidInput(InputProblem(str(error), "#/url")) from error
    secret = body.secret or generate_secret()
    webhook = await request.workbench.get(WEBHOOKS).register(
        request.user_id,
        url=body.url,
        event_types=body.event_types,
        secret=secret,
    )
    return CreatedWebhook(secret=secret, **show_webhook(webhook).model_dump())


@api.get("/webhooks/outgoing", scopes=SCOPES)
async def list_webhooks(
    request: Request, limit: Limit = 100, cursor: Cursor = None
) -> Page[WebhookView]:
    """List your webhooks, the newest first."""
    rows = await request.workbench.store.read(
        Webhook.read_page, request.user_id, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda webhook: webhook.id, show_webhook)


@api.get("/webhooks/outgoing/{webhook_id}", scopes=SCOPES)
async def read_webhook(request: Request, webhook_id: RowId) -> WebhookView:
    """Read a webhook."""
    return show_webhook(
        await request.workbench.store.read(Webhook.get_owned, request.user_id, webhook_id)
    )


@api.delete("/webhooks/outgoing/{webhook_id}", scopes=SCOPES)
async def delete(request: Request, webhook_id: RowId) -> None:
    """Delete a webhook with its deliveries; what is still owed to it is not sent."""
    await request.workbench.get(WEBHOOKS).delete(request.user_id, webhook_id)


@api.get("/webhooks/outgoing/{webhook_id}/deliveries", scopes=SCOPES)
async def list_deliveries(
    request: Request, webhook_id: RowId, limit: Limit = 100, cursor: Cursor = None
) -> Page[DeliveryView]:
    """List what was, or is, owed to a webhook, the newest first, with each attempt."""
    rows = await request.workbench.store.read(
        select_deliveries, request.user_id, webhook_id, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda row: row[0].id, lambda row: show_delivery(*row))
