"""Retention of the event log: deletes old entries from its beginning.

The anchor in `LogEnds` moves to the last deleted entry in the same transaction, so the
remaining chain starts from a known hash, and `biont audit verify` still checks all of it.
"""

from __future__ import annotations

from datetime import datetime

from peewee import fn

from biont.store import SLICE_ROWS
from biont_audit.tables import LogEnds, LogEntry


def delete_old_entries(before: datetime) -> int:
    """Delete a slice of the log, up to the first entry emitted at `before` or later.

    Returns:
        The number of deleted entries.
    """
    ends = LogEnds.get()
    last = min(ends.anchor_number + SLICE_ROWS, ends.head_number)
    # An entry may be older than one with a smaller number, because several requests emit
    # at the same time. A gap would break the chain, so the first young entry ends the slice.
    first_young = (
        LogEntry.select(fn.MIN(LogEntry.number))
        .where(LogEntry.number <= last, LogEntry.created_at >= before)
        .scalar()
    )
    if first_young is not None:
        last = first_young - 1
    anchor = LogEntry.get_or_none(LogEntry.number == last)
    if anchor is None:  # nothing is old enough, or the entry was deleted by hand
        return 0
    LogEnds.update(anchor_number=anchor.number, anchor_hash=anchor.hash).execute()
    return int(LogEntry.delete().where(LogEntry.number <= last).execute())
