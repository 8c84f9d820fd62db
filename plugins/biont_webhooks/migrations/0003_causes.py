"""What a delivery is part of, so that a receiver that calls back goes on with the chain."""


def up(migrator, db):
    # Plain SQL: it adds a column without writing a row, however many there are.
    db.execute_sql("ALTER TABLE webhook_messages ADD COLUMN correlation_id TEXT")
    db.execute_sql("ALTER TABLE webhook_messages ADD COLUMN hops INTEGER NOT NULL DEFAULT 0")
