"""Client event ids: the ids that clients chose for their events."""

_STATEMENTS = (
    """
    CREATE TABLE client_event_ids (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        client_id TEXT NOT NULL,
        content TEXT NOT NULL,
        event_id TEXT NOT NULL,
        correlation_id TEXT NOT NULL,
        created_at TIMESTAMPTZ NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX client_event_ids_client ON client_event_ids (user_id, client_id)",
    "CREATE INDEX client_event_ids_created ON client_event_ids (created_at)",
)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
