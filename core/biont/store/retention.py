"""Retention: deletes rows that are older than a number of days, slice by slice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from biont.clock import Clock
from biont.store.store import Store

RETENTION_INTERVAL = 3600.0
"""The time between two deletions of old rows, in seconds."""

SLICE_ROWS = 500
"""Rows that one write deletes at most, because all other writes wait for it."""


async def delete_old_rows(
    store: Store, clock: Clock, keep_days: int, delete_slice: Callable[[datetime], int]
) -> None:
    """Delete the rows of a table that are older than `keep_days`.

    Args:
        store: the store of the table.
        clock: the present time.
        keep_days: the age in days up to which a row stays.
        delete_slice: a store function that deletes up to `SLICE_ROWS` rows from before an
            instant, and returns the number of deleted rows.

    Raises:
        StoreUnavailable: some of the rows could not be deleted; the next call deletes them.
    """
    before = clock.now() - timedelta(days=keep_days)
    # Zero ends the loop, not a slice that is not full: a slice of the event log may hold
    # fewer rows than its range of numbers.
    while await store.write(delete_slice, before):
        pass


async def delete_found_rows(
    store: Store,
    clock: Clock,
    keep_days: int,
    find_slice: Callable[[datetime, int], Sequence[int]],
    delete: Callable[[Sequence[int]], None],
) -> None:
    """Do the same as `delete_old_rows` for rows whose search takes long.

    The search is a read, for which no other write waits.

    Args:
        store: the store of the table.
        clock: the present time.
        keep_days: the age in days up to which a row stays.
        find_slice: a store function that returns the ids of rows from before an instant, up to
            a number of rows.
        delete: a store function that deletes rows by their ids. The function checks again that
            each row may be deleted.

    Raises:
        StoreUnavailable: some of the rows could not be deleted; the next call deletes them.
    """
    before = clock.now() - timedelta(days=keep_days)
    last: Sequence[int] = ()
    while (found := await store.read(find_slice, before, SLICE_ROWS)) and found != last:
        await store.write(delete, found)
        # Rows that are found again must not be deleted now; the next call looks at them again.
        last = found
