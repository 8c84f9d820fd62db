"""Deadlines of waiting tool calls, changed arguments, and who has decided."""


def up(migrator, db):
    for column in ("approved_arguments", "deadline", "decided_by"):
        db.execute_sql(f"ALTER TABLE tool_calls ADD COLUMN {column} TEXT")
    db.execute_sql(
        "CREATE INDEX tool_calls_deadline ON tool_calls (deadline) "
        "WHERE status = 'waiting' AND deadline IS NOT NULL"
    )
