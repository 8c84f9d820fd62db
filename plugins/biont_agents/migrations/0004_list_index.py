"""Index for tool calls filtered by source and status together."""

_STATEMENTS = (
    "CREATE INDEX tool_calls_user_source_status ON tool_calls (user_id, source, status)",
)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
