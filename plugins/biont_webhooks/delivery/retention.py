"""Retention of deliveries: deletes old deliveries, and messages that no delivery needs.

Unlike `biont.store.delete_old_rows` this module reads each page before it writes. Pending and
recently attempted deliveries stay, so a page may hold nothing to delete, and a read does not
keep other writes waiting. Between the read and the write a resend may turn a found delivery into
a pending one, and a replay may use a found message again: both deletes therefore check their
condition once more.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from biont import Store
from biont.clock import Clock
from biont.store import SLICE_ROWS, execute_sql, format_instant

# Both tables grow in the order of time, apart from replayed events. So the first page without
# old rows is the last page to look at, and a run does not read the whole table.
_FIND_DELIVERIES = """
    WITH page AS (
        SELECT id, status, COALESCE(created_at, (
            SELECT created_at FROM webhook_messages WHERE event_id = message_id)) AS since,
            ? AS until
        FROM webhook_deliveries WHERE id > ? ORDER BY id LIMIT ?)
    SELECT MAX(id), MAX(since < until), json_group_array(id) FILTER (
        WHERE status <> 'pending' AND since < until AND NOT EXISTS (
            SELECT 1 FROM webhook_attempts WHERE delivery_id = page.id AND attempted_at >= until))
    FROM page
"""

_DELETE_DELIVERIES = """
    DELETE FROM webhook_deliveries
    WHERE id IN (SELECT value FROM json_each(?)) AND status <> 'pending'
"""

_FIND_MESSAGES = """
    WITH page AS (
        SELECT event_id, created_at, ? AS until FROM webhook_messages
        WHERE event_id > ? ORDER BY event_id LIMIT ?)
    SELECT MAX(event_id), MAX(created_at < until), json_group_array(event_id) FILTER (
        WHERE created_at < until AND NOT EXISTS (
            SELECT 1 FROM webhook_deliveries WHERE message_id = page.event_id))
    FROM page
"""

_DELETE_MESSAGES = """
    DELETE FROM webhook_messages
    WHERE event_id IN (SELECT value FROM json_each(?)) AND NOT EXISTS (
        SELECT 1 FROM webhook_deliveries WHERE message_id = event_id)
"""


async def delete_old_deliveries(store: Store, clock: Clock, keep_days: int) -> None:
    """Delete deliveries and messages that are older than `keep_days`.

    A delivery is old if it was created, and last attempted, before that time; pending
    deliveries stay. Messages go after their last delivery.

    Raises:
        StoreUnavailable: not all old rows could be deleted; the next run deletes the rest.
    """
    limit = clock.now() - timedelta(days=keep_days)
    await _delete_pages(store, 0, limit, _FIND_DELIVERIES, _DELETE_DELIVERIES)
    await _delete_pages(store, "", limit, _FIND_MESSAGES, _DELETE_MESSAGES)


async def _delete_pages(
    store: Store, last: int | str, limit: datetime, find: str, delete: str
) -> None:
    has_old = True
    while has_old:
        found, has_old, old = await store.read(_find_old_rows, find, last, limit)
        if old != "[]":
            await store.write(_delete_rows, delete, old)
        last = found


def _find_old_rows(sql: str, last: int | str, limit: datetime) -> tuple[int | str, bool, str]:
    """Return a page's last row, whether the page has old rows, and the rows to delete."""
    found, has_old, old = execute_sql(sql, format_instant(limit), last, SLICE_ROWS).fetchone()
    return found, bool(has_old), old


def _delete_rows(sql: str, row_ids: str) -> None:
    execute_sql(sql, row_ids)
