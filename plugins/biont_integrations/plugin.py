"""Plugin ``integrations``: messages and reports to chat systems and other services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

from pydantic import BaseModel

from biont import (
    Api,
    Event,
    EventType,
    IntegrationKind,
    Tables,
    Tool,
    Workbench,
    hookimpl,
    on,
)
from biont.exceptions import DeliveryFailed, NotFound
from biont.http import QUOTAS, Quota
from biont.store import RETENTION_INTERVAL, delete_old_rows
from biont_integrations.connections import (
    count_integrations,
    find_stale_settings,
    replace_settings,
)
from biont_integrations.event_types import INTEGRATION_CONNECTED, INTEGRATION_FAILED
from biont_integrations.integrations import INTEGRATIONS, Integrations
from biont_integrations.kinds import KINDS
from biont_integrations.retention import delete_old_messages
from biont_integrations.routes import api
from biont_integrations.settings import IntegrationsSettings
from biont_integrations.tables import Integration, SentMessage
from biont_integrations.tools import TOOLS
from biont_notes import Note


@hookimpl
def register_settings() -> type[BaseModel]:
    """Return the settings model with the connections."""
    return IntegrationsSettings


@hookimpl
def register_tables() -> Tables:
    """Return the tables of integrations and sent messages."""
    return Tables(Path(__file__).parent / "migrations", [Integration, SentMessage])


@hookimpl
def register_event_types() -> Sequence[EventType]:
    """Return the event types ``integration_connected`` and ``integration_failed``."""
    return [INTEGRATION_CONNECTED, INTEGRATION_FAILED]


@hookimpl
def register_integrations() -> Sequence[IntegrationKind]:
    """Return the built-in kinds of integrations."""
    return KINDS


@hookimpl
def register_tools() -> Sequence[Tool]:
    """Return the tools for integrations."""
    return TOOLS


@hookimpl
def register_routes() -> Api:
    """Return the routes of integrations."""
    return api


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Provide the service `INTEGRATIONS`; delete the records of old messages."""
    return _provide_integrations(workbench)


@asynccontextmanager
async def _provide_integrations(workbench: Workbench) -> AsyncIterator[None]:
    settings = workbench.plugin_settings("integrations", IntegrationsSettings)
    workbench.get(QUOTAS).add(
        Quota("integrations", settings.quota, "plugins.integrations.quota", count_integrations)
    )
    stale = await workbench.store.read(find_stale_settings, workbench.vault)
    if stale:
        await workbench.store.write(replace_settings, stale)
    workbench.provide(INTEGRATIONS, Integrations(settings, workbench))
    if settings.keep_days:
        delete = partial(
            delete_old_rows,
            workbench.store,
            workbench.clock,
            settings.keep_days,
            delete_old_messages,
        )
        workbench.background_tasks.every(RETENTION_INTERVAL, "integrations.retention", delete)
    yield


@on("scheduled_trigger", concurrency=4, timeout=120)
async def send_report(event: Event, workbench: Workbench) -> None:
    """Send the note of a run to the integrations of its schedule, or to all with ``reports``.

    Each integration gets the note once, also when this handler is repeated because another
    integration failed.

    Raises:
        DeliveryFailed: an integration did not accept the report.
    """
    note_id, integrations = event.payload.get("note_id"), workbench.get(INTEGRATIONS)
    if not isinstance(note_id, int):
        return
    named = event.payload.get("report_to")
    names = (
        [str(name) for name in named]
        if isinstance(named, list)
        else await integrations.list_names(event.user_id, reports=True)
    )
    if not names:
        return
    try:
        note = await workbench.store.read(Note.get_owned, event.user_id, note_id)
    except NotFound:
        return  # the user has deleted the note: nothing to report

    async def send(name: str) -> str | None:
        try:
            await integrations.send(event.user_id, name, note.title, note.content, cause=event.id)
        except (DeliveryFailed, NotFound) as error:
            return str(error)
        return None

    # Side by side, so that a system that does not answer delays no other.
    problems = await asyncio.gather(*map(send, dict.fromkeys(names)))
    if any(problems):
        raise DeliveryFailed("; ".join(filter(None, problems)))
