"""Ids that recorded calls mention are given to no new row, whose budget the calls would burden."""

from biont.store import advance_ids

_COLUMNS = {
    "key_id": "api_keys",
    "schedule_id": "schedules",
    "run_id": "schedule_runs",
    "conversation_id": "conversations",
    "mission_id": "missions",
}


def up(migrator, db):
    columns = ", ".join(f"max({column})" for column in _COLUMNS)
    (last_ids,) = db.execute_sql(f"SELECT {columns} FROM llm_calls")  # noqa: S608  # constants
    for table, last in zip(_COLUMNS.values(), last_ids, strict=True):
        advance_ids(db, table, last)
