"""Operations: acts on many rows."""

_STATEMENTS = (
    """
    CREATE TABLE operations (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        parameters TEXT NOT NULL,
        cursor TEXT,
        status TEXT NOT NULL,
        counted INTEGER,
        done INTEGER NOT NULL,
        skipped INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        error TEXT,
        begun_at TIMESTAMPTZ NOT NULL,
        ended_at TIMESTAMPTZ
    )
    """,
    "CREATE INDEX operations_user ON operations (user_id)",
    "CREATE INDEX operations_running ON operations (user_id) WHERE status = 'running'",
    "CREATE INDEX operations_ended ON operations (ended_at) WHERE ended_at IS NOT NULL",
)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
