"""Retention of the core's tables: runs, operations, dead letters, requests and sizes.

Plugins delete the old rows of their own tables, with `biont.store.delete_old_rows`.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from biont.accounts.idempotency_records import delete_old_requests
from biont.events.client_ids import delete_client_ids, find_old_client_ids
from biont.operations.tables import delete_operations, find_old_operations
from biont.scheduler.retention import delete_runs, find_old_runs
from biont.store.dead_letters import delete_letters, find_old_letters
from biont.store.growth import keep_size
from biont.store.retention import RETENTION_INTERVAL, delete_found_rows
from biont.workbench import Workbench


def register_retention(workbench: Workbench) -> None:
    """Let the workbench delete old rows of the core's tables in the background."""
    settings = workbench.settings
    kept = (
        ("scheduler.retention", settings.scheduler.keep_days, find_old_runs, delete_runs),
        ("events.retention", settings.events.keep_days, find_old_letters, delete_letters),
        ("events.ids", settings.events.id_days, find_old_client_ids, delete_client_ids),
        (
            "operations.retention",
            settings.operations.keep_days,
            find_old_operations,
            delete_operations,
        ),
    )
    for name, days, find, delete in kept:
        if days:
            task = partial(delete_found_rows, workbench.store, workbench.clock, days, find, delete)
            workbench.background_tasks.every(RETENTION_INTERVAL, name, task)
    task = partial(_keep_size, workbench)
    workbench.background_tasks.every(RETENTION_INTERVAL, "database.size", task)
    task = partial(_delete_requests, workbench)
    workbench.background_tasks.every(RETENTION_INTERVAL, "idempotency.retention", task)


async def _keep_size(workbench: Workbench) -> None:
    database = workbench.settings.database.path
    size = database.stat().st_size if database.exists() else 0
    await workbench.store.write(keep_size, workbench.clock.now(), size)


async def _delete_requests(workbench: Workbench) -> None:
    hours = workbench.settings.server.idempotency_hours
    before = workbench.clock.now() - timedelta(hours=hours)
    while await workbench.store.write(delete_old_requests, before):
        pass
