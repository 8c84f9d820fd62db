"""Held users: the schedules of disabled users are not due, and their runs do not start.

A run that is active when its user is disabled is cancelled and queued again, as if it had never
begun. All else stays as it is in the tables, so that the policies of the schedules decide about
the time in between.
"""

from __future__ import annotations

import orjson

from biont.store.database import dump_json, execute_sql

_FIND_ACTIVE = (
    "SELECT json_group_array(run.id) FROM schedule_runs AS run"
    " JOIN schedules ON schedules.id = schedule_id"
    " WHERE run.id IN (SELECT value FROM json_each(?)) AND user_id = ? AND ended_at IS NULL"
)
_QUEUE = (
    "UPDATE schedule_runs SET status = 'queued', attempts = attempts - 1"
    " WHERE id IN (SELECT value FROM json_each(?)) AND status = 'running'"
)


def queue_active_runs(user_id: int, run_ids: list[int]) -> list[int]:
    """Queue the active runs of a user again; return these runs.

    Args:
        user_id: the user.
        run_ids: the active runs of all users.
    """
    (found,) = execute_sql(_FIND_ACTIVE, dump_json(run_ids), user_id).fetchone()
    execute_sql(_QUEUE, found)
    return list(orjson.loads(found))
