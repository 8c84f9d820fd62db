"""Retention of deliveries: deletes old deliveries, and messages that no delivery needs.

Unlike `biont.store.delete_old_rows` this reads each page before it writes. Pending and
recently attempted deliveries stay, so a page may hold nothing to delete; a read does not
keep other writes waiting.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from biont import Store
from biont.clock import Clock
from biont.store import SLICE_ROWS, execute_sql

# Both tables grow in the order of time, but for what is replayed: the first page that has
# nothing old is the last to look at.
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
    """Delete what is older than `keep_days`.

    Deliveries go that became owed, and were last attempted, before that; pending ones
    stay. Then messages go that are owed to nobody any more.

    Raises:
        StoreUnavailable: not all of it could be deleted.
    """
    limit = clock.now() - timedelta(days=keep_days)
    await _delete_pages(store, 0, limit, _FIND_DELIVERIES, _DELETE_DELIVERIES)
    await _delete_pages(store, "", limit, _FIND_MESSAGES, _DELETE_MESSAGES)


async def _delete_pages(
    store: Store, last: int | str, limit: datetime, find: str, delete: str
) -> None:
    has_old = True
    while has_old:
        found, has_old, old = await store.read(_find, find, last, limit)
        if old != "[]":
            await store.write(_delete, delete, old)
        last = found


def _find(sql: str, last: int | str, limit: datetime) -> tuple[int | str, bool, str]:
    """Return the last row of a page, whether there are old ones in it, and which may go."""
    found, has_old, old = execute_sql(sql, str(limit), last, SLICE_ROWS).fetchone()
    return found, bool(has_old), old


def _delete(sql: str, old: str) -> None:
    execute_sql(sql, old)
