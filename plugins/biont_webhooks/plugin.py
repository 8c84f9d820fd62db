"""Outgoing webhooks: tell other systems what happens, signed, by HTTP POST."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import click

from biont import Api, Event, EventType, Tables, Transaction, Workbench, hookimpl, on
from biont_webhooks.api.delivery_routes import api as delivery_api
from biont_webhooks.api.event_log_routes import api as log_api
from biont_webhooks.api.routes import api as webhook_api
from biont_webhooks.delivery.attempt import AttemptMaker
from biont_webhooks.delivery.claims import mark_interrupted_claims
from biont_webhooks.delivery.dispatcher import Dispatcher
from biont_webhooks.delivery.retention import delete_old_deliveries
from biont_webhooks.event_types import WEBHOOK_DISABLED
from biont_webhooks.service.fan_out import FanOut
from biont_webhooks.service.webhooks import WEBHOOKS, Webhooks
from biont_webhooks.settings import WebhookSettings
from biont_webhooks.subscription.subscriber import (
    find_stale_secrets,
    replace_secrets,
    select_webhooks_with_pending,
)
from biont_webhooks.tables import Attempt, Delivery, EventMessage, Webhook


@hookimpl
def register_settings() -> type[WebhookSettings]:
    """Return how deliveries are made."""
    return WebhookSettings


@hookimpl
def register_tables() -> Tables:
    """Return the tables of webhooks."""
    return Tables(Path(__file__).parent / "migrations", [Webhook, EventMessage, Delivery, Attempt])


@hookimpl
def register_event_types() -> Sequence[EventType]:
    """Return ``webhook_disabled``."""
    return [WEBHOOK_DISABLED]


@hookimpl
def register_routes() -> Api:
    """Return the routes of webhooks and of their deliveries."""
    api = Api("webhooks")
    api.include(webhook_api)
    api.include(delivery_api)
    api.include(log_api)
    return api


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``biont webhooks``."""
    from biont_webhooks.receiver_testing.cli import webhooks  # noqa: PLC0415  # a server needs none

    cli.add_command(webhooks)


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
    await store.write(mark_interrupted_claims)
    subscriptions = FanOut(store, vault, clock)
    sender = Dispatcher(
        store,
        clock,
        AttemptMaker(workbench.egress, clock, timeout=settings.timeout),
        subscriptions,
        concurrency=settings.concurrency,
        connections=settings.connections,
    )
    webhooks = Webhooks(
        store,
        vault,
        clock,
        subscriptions,
        sender,
        rotation_overlap=settings.rotation_overlap,
    )
    workbench.provide(WEBHOOKS, webhooks)
    creditors = await store.read(select_webhooks_with_pending, vault)
    if settings.keep_days:
        delete = partial(delete_old_deliveries, store, clock, settings.keep_days)
        workbench.background_tasks.every(3600, "webhooks.retention", delete)
    async with sender.run(creditors, workbench.shutdown.time_left):
        yield


async def owe_later(events: Sequence[Event], workbench: Workbench) -> None:
    """Owe events also to those webhooks that `owe_events` has put off."""
    await workbench.get(WEBHOOKS).owe_later(events)


@on("*", transactional=True, again=owe_later, batch=200, linger=5.0)
def owe_events(tx: Transaction, events: Sequence[Event], workbench: Workbench) -> None:
    """Owe each event to the webhooks that have subscribed to it."""
    workbench.get(WEBHOOKS).owe(tx, events)
