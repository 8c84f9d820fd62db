"""Removes entries that were kept long enough, the oldest first."""

from __future__ import annotations

from datetime import datetime, timedelta

from peewee import fn

from biont import Store
from biont.clock import Clock
from biont_audit.tables import LogEnds, LogEntry

_SLICE = 500


async def remove_old_entries(store: Store, clock: Clock, keep_days: int) -> None:
    """Remove what is older than `keep_days`.

    Raises:
        StoreUnavailable: not all of it could be removed.
    """
    before = clock.now() - timedelta(days=keep_days)
    while await store.write(_remove_slice, before):
        pass


def _remove_slice(before: datetime) -> int:
    """Remove the next few entries, up to the first one emitted at `before` or later.

    What is left begins at the anchor, so the chain still holds.
    """
    ends = LogEnds.get()
    last = min(ends.anchor_number + _SLICE, ends.head_number)
    young = (
        LogEntry.select(fn.MIN(LogEntry.number))
        .where(LogEntry.number <= last, LogEntry.created_at >= before)
        .scalar()
    )
    if young is not None:
        last = young - 1
    anchor = LogEntry.get_or_none(LogEntry.number == last)
    if anchor is None:  # there is nothing to remove, or somebody was here before
        return 0
    LogEnds.update(anchor_number=anchor.number, anchor_hash=anchor.hash).execute()
    return int(LogEntry.delete().where(LogEntry.number <= last).execute())
