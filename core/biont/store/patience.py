"""Patience: repeats a write until the store takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from biont.exceptions import StoreUnavailable

T = TypeVar("T")

RETRY_SECONDS = 5.0
"""The wait before the next try while the database is locked, full or out of reach."""


async def keep_trying(write: Callable[[], Awaitable[T]]) -> T:
    """Return the result of `write`; repeat the call while the store is unavailable.

    For records that must not have gaps, such as the result of a run.
    """
    while True:
        try:
            return await write()
        except StoreUnavailable:
            await asyncio.sleep(RETRY_SECONDS)
