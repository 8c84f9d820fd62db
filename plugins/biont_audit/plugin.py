"""The audit log: keeps every event and shows it to whom it concerns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import click

from biont import Api, Event, Tables, Tool, Transaction, Workbench, hookimpl, on
from biont.store import delete_old_rows
from biont_audit.log import EVENT_LOG, EventLog
from biont_audit.retention import delete_old_entries
from biont_audit.routes import api
from biont_audit.settings import AuditSettings
from biont_audit.stream import STREAMS, EventStreams
from biont_audit.tables import LogEnds, LogEntry
from biont_audit.tools import TOOLS


@hookimpl
def register_settings() -> type[AuditSettings]:
    """Return how long the log is kept, and who may follow it."""
    return AuditSettings


@hookimpl
def register_tables() -> Tables:
    """Return the log and its two ends."""
    return Tables(Path(__file__).parent / "migrations", [LogEntry, LogEnds])


@hookimpl
def register_tools() -> Sequence[Tool]:
    """Return what a language model may do with the log."""
    return TOOLS


@hookimpl
def register_routes() -> Api:
    """Return the routes that read the log."""
    return api


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``biont audit``."""
    from biont_audit.commands import audit  # noqa: PLC0415  # a server needs none

    cli.add_command(audit)


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Offer the log and its streams while the workbench runs; remove what is old."""
    return _run(workbench)


@asynccontextmanager
async def _run(workbench: Workbench) -> AsyncIterator[None]:
    settings = workbench.plugin_settings("audit", AuditSettings)
    streams = EventStreams(settings.streams)
    workbench.provide(EVENT_LOG, EventLog(workbench.store))
    workbench.provide(STREAMS, streams)
    if settings.keep_days:
        delete = partial(
            delete_old_rows,
            workbench.store,
            workbench.clock,
            settings.keep_days,
            delete_old_entries,
        )
        workbench.background_tasks.every(3600, "audit.retention", delete)
    ending = asyncio.create_task(_end_in_time(streams, workbench))
    try:
        yield
    finally:
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)


@on("*", transactional=True)
def log_events(tx: Transaction, events: Sequence[Event], workbench: Workbench) -> None:
    """Write events into the log, in the transaction that makes them durable."""
    workbench.get(EVENT_LOG).record(events)
    user_ids = {event.user_id for event in events}
    tx.after_commit(partial(workbench.get(STREAMS).wake, user_ids))


async def _end_in_time(streams: EventStreams, workbench: Workbench) -> None:
    await workbench.shutdown.requested.wait()
    streams.end()
