"""Idempotency records: requests that took effect, with their answers."""

_STATEMENTS = (
    """
    CREATE TABLE idempotency_records (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        key_id INTEGER NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        location TEXT,
        answer TEXT,
        created_at TIMESTAMPTZ NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX idempotency_records_name ON idempotency_records (key_id, name)",
    "CREATE INDEX idempotency_records_created ON idempotency_records (created_at)",
)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
