"""The audit log: keeps every event and shows it to whom it concerns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import click

from biont import Api, Event, Tables, Transaction, Workbench, hookimpl, on
from biont_audit.commands import audit
from biont_audit.log import EVENT_LOG, EventLog
from biont_audit.routes import api
from biont_audit.tables import LogEnds, LogEntry


@hookimpl
def register_tables() -> Tables:
    """Return the log and its two ends."""
    return Tables(Path(__file__).parent / "migrations", [LogEntry, LogEnds])


@hookimpl
def register_routes() -> Api:
    """Return the routes that read the log."""
    return api


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``biont audit``."""
    cli.add_command(audit)


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Offer the log while the workbench runs."""
    return _offer(workbench)


@asynccontextmanager
async def _offer(workbench: Workbench) -> AsyncIterator[None]:
    workbench.provide(EVENT_LOG, EventLog(workbench.store))
    yield


@on("*", transactional=True)
def log_events(_: Transaction, events: Sequence[Event], workbench: Workbench) -> None:
    """Write events into the log, in the transaction that makes them durable."""
    workbench.get(EVENT_LOG).record(events)
