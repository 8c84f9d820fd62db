"""Column ``source`` of tool calls, by which lists are filtered."""

_STATEMENTS = (
    "ALTER TABLE tool_calls ADD COLUMN source TEXT NOT NULL DEFAULT ''",
    "UPDATE tool_calls SET source = (SELECT source FROM agent_runs WHERE id = run_id)",
    "CREATE INDEX tool_calls_user ON tool_calls (user_id)",
    "CREATE INDEX tool_calls_user_source ON tool_calls (user_id, source)",
)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
