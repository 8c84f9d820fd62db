"""Retention of runs: deletes the records of old runs.

The last successful run of a schedule stays, because the next run may quote the note of that run.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from biont.store.database import dump_json, execute_sql, format_instant

_FIND_OLD = """
    SELECT id FROM schedule_runs AS old WHERE ended_at < ? AND EXISTS (
        SELECT 1 FROM schedule_runs AS newer WHERE newer.schedule_id = old.schedule_id
        AND newer.id > old.id AND newer.status = 'succeeded')
    ORDER BY ended_at LIMIT ?
"""
# Again with a condition: a user may retry a run between the search and the delete.
_DELETE = """
    DELETE FROM schedule_runs
    WHERE id IN (SELECT value FROM json_each(?)) AND ended_at IS NOT NULL
"""


def find_old_runs(before: datetime, limit: int) -> list[int]:
    """Return the ids of up to `limit` runs that ended before an instant, the oldest first."""
    return [row_id for (row_id,) in execute_sql(_FIND_OLD, format_instant(before), limit)]


def delete_runs(run_ids: Sequence[int]) -> None:
    """Delete the runs among `run_ids` that have ended."""
    execute_sql(_DELETE, dump_json(run_ids))
