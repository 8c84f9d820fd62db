"""Outgoing webhooks: signed HTTP POST requests that deliver events to other systems."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import click

from biont import Api, Event, EventType, Panel, Tables, Transaction, Workbench, hookimpl, on
from biont.http import QUOTAS, Quota
from biont.operations import OperationKind
from biont_webhooks.api.conformance_routes import api as conformance_api
from biont_webhooks.api.delivery_routes import api as delivery_api
from biont_webhooks.api.event_log_routes import api as event_log_api
from biont_webhooks.api.routes import api as webhook_api
from biont_webhooks.api.trial_routes import api as trial_api
from biont_webhooks.delivery.attempt import AttemptMaker
from biont_webhooks.delivery.claims import find_webhooks_to_watch, mark_interrupted_claims
from biont_webhooks.delivery.dispatcher import Dispatcher
from biont_webhooks.delivery.retention import delete_old_deliveries
from biont_webhooks.event_types import WEBHOOK_DISABLED
from biont_webhooks.listeners.routes import api as listener_api
from biont_webhooks.listeners.service import LISTENER_WAITS, ListenerWaits
from biont_webhooks.listeners.tables import (
    Listener,
    find_stale_listener_secrets,
    replace_listener_secrets,
)
from biont_webhooks.panels import PANELS
from biont_webhooks.receiver_testing.webhook_checks import RECEIVER_CHECKS, ReceiverChecks
from biont_webhooks.service.bulk_acts import OPERATION_KINDS
from biont_webhooks.service.fan_out import FAN_OUT, FanOut
from biont_webhooks.service.webhooks import WEBHOOKS, Webhooks, count_webhooks
from biont_webhooks.settings import WebhookSettings
from biont_webhooks.subscription.subscriber import find_stale_secrets, replace_secrets
from biont_webhooks.subscription.subscriber_cache import SubscriberCache
from biont_webhooks.tables import Attempt, Delivery, EventMessage, Webhook


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Return the panel of the dashboard's home page."""
    return PANELS


@hookimpl
def register_settings() -> type[WebhookSettings]:
    """Return the settings of deliveries."""
    return WebhookSettings


@hookimpl
def register_tables() -> Tables:
    """Return the tables of webhooks and deliveries."""
    return Tables(
        Path(__file__).parent / "migrations", [Webhook, EventMessage, Delivery, Attempt, Listener]
    )


@hookimpl
def register_event_types() -> Sequence[EventType]:
    """Return ``webhook_disabled``."""
    return [WEBHOOK_DISABLED]


@hookimpl
def register_routes() -> Api:
    """Return the routes of webhooks and deliveries."""
    api = Api("webhooks")
    api.include(webhook_api)
    api.include(delivery_api)
    api.include(event_log_api)
    api.include(trial_api)
    api.include(conformance_api)
    api.include(listener_api)
    return api


@hookimpl
def register_operations() -> Sequence[OperationKind]:
    """Return the acts on many deliveries."""
    return OPERATION_KINDS


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``biont webhooks``."""
    # A server needs no commands, so only the command line pays for this import.
    from biont_webhooks.receiver_testing.cli import webhooks  # noqa: PLC0415  # see above

    cli.add_command(webhooks)


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Make deliveries while the workbench runs."""
    return _run_deliveries(workbench)


@asynccontextmanager
async def _run_deliveries(workbench: Workbench) -> AsyncIterator[None]:
    settings = workbench.plugin_settings("webhooks", WebhookSettings)
    store, vault, clock = workbench.store, workbench.vault, workbench.clock
    workbench.get(QUOTAS).add(
        Quota("webhooks", settings.quota, "plugins.webhooks.quota", count_webhooks)
    )
    stale = await store.read(find_stale_secrets, vault)
    if stale:
        await store.write(replace_secrets, stale)
    stale_listeners = await store.read(find_stale_listener_secrets, vault)
    if stale_listeners:
        await store.write(replace_listener_secrets, stale_listeners)
    # Before the first claim of this process: each claim in the table is from a dead process.
    await store.write(mark_interrupted_claims)
    subscribers = SubscriberCache(store, vault, workbench.users)
    dispatcher = Dispatcher(
        store,
        clock,
        AttemptMaker(workbench.egress, clock, timeout=settings.timeout),
        on_disabled=subscribers.invalidate,
        users=workbench.users,
        intake=workbench.events.intake,
        concurrency=settings.concurrency,
        connections=settings.connections,
    )
    webhooks = Webhooks(
        store,
        vault,
        clock,
        subscribers,
        dispatcher,
        rotation_overlap=settings.rotation_overlap,
    )
    workbench.provide(WEBHOOKS, webhooks)
    workbench.provide(RECEIVER_CHECKS, ReceiverChecks(workbench))
    workbench.provide(FAN_OUT, FanOut(store, clock, subscribers, dispatcher))
    waits = ListenerWaits()
    workbench.provide(LISTENER_WAITS, waits)
    watched = await store.read(find_webhooks_to_watch, vault)
    if settings.keep_days:
        delete = partial(delete_old_deliveries, store, clock, settings.keep_days)
        workbench.background_tasks.every(3600, "webhooks.retention", delete)
    ending = asyncio.create_task(waits.end_at_shutdown(workbench))
    try:
        async with dispatcher.run(watched, workbench.shutdown.time_left):
            yield
    finally:
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)


async def create_deferred_deliveries(events: Sequence[Event], workbench: Workbench) -> None:
    """Create the deliveries that `create_deliveries` deferred."""
    await workbench.get(FAN_OUT).create_deferred_deliveries(events)


# The handler's position, dead letters and crash marks are stored under its name: to rename the
# function takes a migration like 0004.
@on("*", transactional=True, again=create_deferred_deliveries, batch=200, linger=5.0)
def create_deliveries(tx: Transaction, events: Sequence[Event], workbench: Workbench) -> None:
    """Create a delivery of each event for each webhook that receives the event."""
    workbench.get(LISTENER_WAITS).wake_after_commit(tx, events)
    workbench.get(FAN_OUT).create_deliveries(tx, events)
