"""Plugin ``audit``: the permanent record of all events, with lists, streams and checks."""

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
from biont_audit.verify import verify_chain


@hookimpl
def register_settings() -> type[AuditSettings]:
    """Return the settings model of the event log."""
    return AuditSettings


@hookimpl
def register_tables() -> Tables:
    """Return the tables of the event log."""
    return Tables(Path(__file__).parent / "migrations", [LogEntry, LogEnds])


@hookimpl
def register_tools() -> Sequence[Tool]:
    """Return the tools for the event log."""
    return TOOLS


@hookimpl
def register_routes() -> Api:
    """Return the routes of the event log."""
    return api


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``biont audit``."""
    from biont_audit.commands import audit  # noqa: PLC0415  # a server has no use for click

    cli.add_command(audit)


@hookimpl
def verify_database() -> str | None:
    """Return the first wrong entry of the log."""
    problem = verify_chain().problem
    return None if problem is None else f"the event log is broken: {problem}"


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Provide `EVENT_LOG` and `STREAMS`; delete old entries in the background."""
    return _provide_log(workbench)


@asynccontextmanager
async def _provide_log(workbench: Workbench) -> AsyncIterator[None]:
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
    ending = asyncio.create_task(_end_streams_at_shutdown(streams, workbench))
    try:
        yield
    finally:
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)


@on("*", transactional=True)
def log_events(tx: Transaction, events: Sequence[Event], workbench: Workbench) -> None:
    """Record events, in the transaction that makes the events durable."""
    workbench.get(EVENT_LOG).record(events)
    user_ids = {event.user_id for event in events}
    # After the commit: a stream that reads earlier would not see the entries.
    tx.after_commit(partial(workbench.get(STREAMS).wake, user_ids))


async def _end_streams_at_shutdown(streams: EventStreams, workbench: Workbench) -> None:
    # The server waits for open requests before the lifespans end, and a stream never ends by
    # itself.
    await workbench.shutdown.requested.wait()
    streams.end()
