"""Ids that missions and tasks mention are given to no new note, key, schedule or agent run."""

from biont.store import advance_ids

_COLUMNS = (
    ("missions", "note_id", "notes"),
    ("missions", "key_id", "api_keys"),
    ("missions", "schedule_id", "schedules"),
    ("tasks", "agent_run_id", "agent_runs"),
)


def up(migrator, db):
    for source, column, table in _COLUMNS:
        query = f"SELECT max({column}) FROM {source}"  # noqa: S608  # constants
        ((last,),) = db.execute_sql(query)
        advance_ids(db, table, last)
