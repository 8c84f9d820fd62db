"""Removes calls that were kept long enough, the oldest first."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from biont import Clock, Store, Transaction
from biont.exceptions import StoreUnavailable
from biont_llm.tables import Call

_SLICE = 500
_PAUSE = 3600.0

_log = structlog.get_logger("biont.llm")


async def remove_old_calls(store: Store, clock: Clock, keep_days: int) -> None:
    """Remove what is older than `keep_days`, now and then each hour, without end."""
    while True:
        before = clock.now() - timedelta(days=keep_days)
        try:
            while await store.write(_remove_slice, before):
                pass
        except StoreUnavailable as error:
            _log.warning("old calls not removed, will be tried again", error=str(error))
        await asyncio.sleep(_PAUSE)


def _remove_slice(_: Transaction, before: datetime) -> int:
    """Remove a few calls that ended earlier; return how many."""
    old = Call.select(Call.id).where(Call.created_at < before).order_by(Call.created_at)
    return int(Call.delete().where(Call.id.in_(old.limit(_SLICE))).execute())
