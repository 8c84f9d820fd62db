"""Columns for filters, retries, pauses and rotation, and for the trigger of an attempt."""

_COLUMNS = {
    "webhooks": [
        "name TEXT",
        "filter TEXT",
        "success TEXT NOT NULL DEFAULT '200'",
        "retry TEXT NOT NULL DEFAULT '\"none\"'",
        "headers TEXT",
        "rate REAL",
        "concurrency INTEGER",
        "status TEXT NOT NULL DEFAULT 'active'",
        "disabled_reason TEXT",
        "failing_since TIMESTAMPTZ",
        "previous_secret TEXT",
        "previous_secret_until TIMESTAMPTZ",
        "updated_at TIMESTAMPTZ",
    ],
    "webhook_deliveries": [
        "attempts INTEGER NOT NULL DEFAULT 0",
        "due_at TIMESTAMPTZ",
        "\"trigger\" TEXT NOT NULL DEFAULT 'event'",
        "claimed INTEGER NOT NULL DEFAULT 0",
        "created_at TIMESTAMPTZ",
    ],
    "webhook_attempts": [
        "\"trigger\" TEXT NOT NULL DEFAULT 'event'",
        "redelivered INTEGER NOT NULL DEFAULT 0",
    ],
}


def up(migrator, db):
    # Plain SQL adds a column without rewriting the rows, of which there may be very many.
    for table, columns in _COLUMNS.items():
        for column in columns:
            db.execute_sql(f"ALTER TABLE {table} ADD COLUMN {column}")
    db.execute_sql("UPDATE webhooks SET updated_at = created_at")
    db.execute_sql("UPDATE webhook_deliveries SET attempts = 1 WHERE status <> 'pending'")
    db.execute_sql("DROP INDEX webhook_deliveries_pending")
    db.execute_sql(
        "CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook_id, due_at, id) "
        "WHERE status = 'pending'"
    )
