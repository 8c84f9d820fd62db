"""Background tasks of API keys: their last use, and the warnings of their end."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from biont.accounts.api_keys import ApiKeys
from biont.exceptions import StoreUnavailable
from biont.workbench import Workbench

_USAGE_INTERVAL = 60.0


def register_key_tasks(workbench: Workbench) -> None:
    """Let the workbench store the use of keys, and warn of keys that end soon."""
    tasks, keys, settings = workbench.background_tasks, workbench.keys, workbench.settings.keys
    tasks.every(_USAGE_INTERVAL, "keys.usage", keys.save_usage)
    if settings.expiry_warning_days:
        warn = partial(keys.warn_of_expiry, settings.expiry_warning_days)
        tasks.every(60 * settings.expiry_check_minutes, "keys.expiry", warn)


@asynccontextmanager
async def save_key_usage(keys: ApiKeys) -> AsyncIterator[None]:
    """Store the use of keys at the end; a background task does so meanwhile."""
    try:
        yield
    finally:
        with contextlib.suppress(StoreUnavailable):
            await keys.save_usage()
