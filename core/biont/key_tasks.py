"""Background tasks of API keys: last uses, warnings of the end, and ended sessions."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from biont.accounts.api_keys import ApiKeys
from biont.accounts.sessions import delete_sessions, find_old_sessions
from biont.exceptions import StoreUnavailable
from biont.store.retention import RETENTION_INTERVAL, delete_found_rows
from biont.workbench import Workbench

_USAGE_INTERVAL = 60.0
_SESSION_DAYS = 30
"""Days for which a list of keys still shows a session that has ended."""


def register_key_tasks(workbench: Workbench) -> None:
    """Let the workbench store the use of keys, warn of their end, and delete old sessions."""
    tasks, keys, settings = workbench.background_tasks, workbench.keys, workbench.settings.keys
    tasks.every(_USAGE_INTERVAL, "keys.usage", keys.save_usage)
    if settings.expiry_warning_days:
        warn = partial(keys.warn_of_expiry, settings.expiry_warning_days)
        tasks.every(60 * settings.expiry_check_minutes, "keys.expiry", warn)
    delete = partial(
        delete_found_rows,
        workbench.store,
        workbench.clock,
        _SESSION_DAYS,
        find_old_sessions,
        delete_sessions,
    )
    tasks.every(RETENTION_INTERVAL, "keys.sessions", delete)


@asynccontextmanager
async def save_key_usage(keys: ApiKeys) -> AsyncIterator[None]:
    """Store the use of keys at the end; a background task does so meanwhile."""
    try:
        yield
    finally:
        with contextlib.suppress(StoreUnavailable):
            await keys.save_usage()
