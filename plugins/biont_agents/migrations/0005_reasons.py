"""Column ``reason`` of tool calls: the reason that a user gives for a rejection."""


def up(migrator, db):
    db.execute_sql("ALTER TABLE tool_calls ADD COLUMN reason TEXT")
