"""The makers and successors of API keys, and the warnings of their expiry."""

_STATEMENTS = (
    "ALTER TABLE api_keys ADD COLUMN maker_id INTEGER REFERENCES api_keys (id) ON DELETE SET NULL",
    """
    ALTER TABLE api_keys ADD COLUMN successor_id INTEGER
    REFERENCES api_keys (id) ON DELETE SET NULL
    """,
    "ALTER TABLE api_keys ADD COLUMN warned_at TIMESTAMPTZ",
    "CREATE INDEX api_keys_maker ON api_keys (maker_id) WHERE maker_id IS NOT NULL",
    "CREATE INDEX api_keys_successor ON api_keys (successor_id) WHERE successor_id IS NOT NULL",
    """
    CREATE INDEX api_keys_expiring ON api_keys (expires_at)
    WHERE warned_at IS NULL AND revoked_at IS NULL
    """,
)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
