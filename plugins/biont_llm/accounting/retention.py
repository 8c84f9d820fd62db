"""Removes calls that were kept long enough, the oldest first."""

from __future__ import annotations

from datetime import datetime, timedelta

from biont import Store
from biont.clock import Clock
from biont_llm.accounting.tables import RecordedCall

_SLICE = 500


async def remove_old_calls(store: Store, clock: Clock, keep_days: int) -> None:
    """Remove what is older than `keep_days`.

    Raises:
        StoreUnavailable: not all of it could be removed.
    """
    before = clock.now() - timedelta(days=keep_days)
    while await store.write(_remove_slice, before):
        pass


def _remove_slice(before: datetime) -> int:
    """Remove a few calls that ended earlier; return how many."""
    old = (
        RecordedCall.select(RecordedCall.id)
        .where(RecordedCall.created_at < before)
        .order_by(RecordedCall.created_at)
    )
    return int(RecordedCall.delete().where(RecordedCall.id.in_(old.limit(_SLICE))).execute())
