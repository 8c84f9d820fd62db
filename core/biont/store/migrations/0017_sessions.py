"""Sessions of browsers, which are API keys."""

_STATEMENTS = (
    "ALTER TABLE api_keys ADD COLUMN is_session INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX api_keys_sessions ON api_keys (user_id) WHERE is_session",
)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
