"""Retention of the core's tables: the records of runs and operations, and dead letters.

Plugins delete the old rows of their own tables, with `biont.store.delete_old_rows`.
"""

from __future__ import annotations

from functools import partial

from biont.operations.tables import delete_operations, find_old_operations
from biont.scheduler.retention import delete_runs, find_old_runs
from biont.store.dead_letters import delete_letters, find_old_letters
from biont.store.retention import RETENTION_INTERVAL, delete_found_rows
from biont.workbench import Workbench


def register_retention(workbench: Workbench) -> None:
    """Let the workbench delete old rows of the core's tables in the background."""
    settings = workbench.settings
    kept = (
        ("scheduler.retention", settings.scheduler.keep_days, find_old_runs, delete_runs),
        ("events.retention", settings.events.keep_days, find_old_letters, delete_letters),
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
