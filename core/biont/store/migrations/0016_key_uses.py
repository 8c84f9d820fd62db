"""The uses of API keys: routes, event types and models, each with a count."""

_STATEMENTS = (
    """
    CREATE TABLE key_uses (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        key_id INTEGER NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        count INTEGER NOT NULL,
        last_used_at TIMESTAMPTZ NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX key_uses_name ON key_uses (key_id, kind, name)",
)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
