"""Inbound webhooks: requests of other systems that become events, prompts, missions and notes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from biont import Api, Event, EventType, Tables, Workbench, hookimpl, on
from biont.http import QUOTAS, Quota
from biont.store import RETENTION_INTERVAL, SLICE_ROWS, delete_old_rows
from biont_inbound.acting import answer_prompt
from biont_inbound.active_webhooks import ActiveWebhooks, find_stale_secrets, replace_secrets
from biont_inbound.event_types import INBOUND_RECEIVED
from biont_inbound.reception_routes import ACTIVE_WEBHOOKS
from biont_inbound.reception_routes import api as reception_api
from biont_inbound.routes import api as webhook_api
from biont_inbound.settings import InboundSettings
from biont_inbound.tables import InboundDelivery, InboundRequest, InboundWebhook
from biont_inbound.trial_routes import api as trial_api
from biont_inbound.webhooks import count_webhooks


@hookimpl
def requires() -> Sequence[str]:
    """Return the plugins whose models, missions and notes the actions use."""
    return ["llm", "missions", "notes"]


@hookimpl
def register_settings() -> type[InboundSettings]:
    """Return the settings of inbound webhooks."""
    return InboundSettings


@hookimpl
def register_tables() -> Tables:
    """Return the tables of inbound webhooks and their requests."""
    return Tables(
        Path(__file__).parent / "migrations", [InboundWebhook, InboundDelivery, InboundRequest]
    )


@hookimpl
def register_event_types() -> Sequence[EventType]:
    """Return ``inbound_received``."""
    return [INBOUND_RECEIVED]


@hookimpl
def register_routes() -> Api:
    """Return the routes of inbound webhooks."""
    api = Api("inbound")
    api.include(webhook_api)
    api.include(trial_api)
    api.include(reception_api)
    return api


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Receive requests while the workbench runs; delete the records of old requests."""
    return _receive_requests(workbench)


@asynccontextmanager
async def _receive_requests(workbench: Workbench) -> AsyncIterator[None]:
    settings = workbench.plugin_settings("inbound", InboundSettings)
    store, vault = workbench.store, workbench.vault
    workbench.get(QUOTAS).add(
        Quota("inbound_webhooks", settings.quota, "plugins.inbound.quota", count_webhooks)
    )
    stale = await store.read(find_stale_secrets, vault)
    if stale:
        await store.write(replace_secrets, stale)
    webhooks = ActiveWebhooks(store, vault, settings.rate)
    await webhooks.load()
    workbench.provide(ACTIVE_WEBHOOKS, webhooks)
    delete = partial(
        delete_old_rows, store, workbench.clock, settings.keep_days, _delete_old_deliveries
    )
    workbench.background_tasks.every(RETENTION_INTERVAL, "inbound.retention", delete)
    yield


def _delete_old_deliveries(before: datetime) -> int:
    """Delete a slice of the requests accepted before an instant; return the number of them."""
    old = (
        InboundDelivery.select(InboundDelivery.id)
        .where(InboundDelivery.received_at < before)
        .order_by(InboundDelivery.received_at)
        .limit(SLICE_ROWS)
    )
    return int(InboundDelivery.delete().where(InboundDelivery.id.in_(old)).execute())


@on("inbound_received", concurrency=4, timeout=900)
async def answer_inbound_prompt(event: Event, workbench: Workbench) -> None:
    """Ask the model the prompt of an accepted request, and keep the answer as a note."""
    await answer_prompt(event, workbench)
