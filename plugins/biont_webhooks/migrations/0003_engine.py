"""What a delivery is part of, and indexes that a new event touches as few pages of as can be."""


def up(migrator, db):
    # Plain SQL: it adds a column without writing a row, however many there are.
    db.execute_sql("ALTER TABLE webhook_messages ADD COLUMN correlation_id TEXT")
    db.execute_sql("ALTER TABLE webhook_messages ADD COLUMN hops INTEGER NOT NULL DEFAULT 0")
    # Ids of events rise, so what one event owes to hundreds of webhooks stands together.
    db.execute_sql("DROP INDEX delivery_webhook_id_message_id")
    db.execute_sql("DROP INDEX delivery_message_id")
    db.execute_sql(
        "CREATE UNIQUE INDEX webhook_deliveries_of_message "
        "ON webhook_deliveries (message_id, webhook_id)"
    )
    db.execute_sql(
        "CREATE INDEX webhook_deliveries_of_webhook ON webhook_deliveries (webhook_id, id)"
    )
