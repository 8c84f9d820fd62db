"""Causation columns, and indexes in the order in which new deliveries arrive."""


def up(migrator, db):
    # Plain SQL adds a column without rewriting the rows, of which there may be very many.
    db.execute_sql("ALTER TABLE webhook_messages ADD COLUMN correlation_id TEXT")
    db.execute_sql("ALTER TABLE webhook_messages ADD COLUMN hops INTEGER NOT NULL DEFAULT 0")
    # Event ids rise, so the deliveries of one event for hundreds of webhooks share index pages.
    db.execute_sql("DROP INDEX delivery_webhook_id_message_id")
    db.execute_sql("DROP INDEX delivery_message_id")
    db.execute_sql(
        "CREATE UNIQUE INDEX webhook_deliveries_of_message "
        "ON webhook_deliveries (message_id, webhook_id)"
    )
    db.execute_sql(
        "CREATE INDEX webhook_deliveries_of_webhook ON webhook_deliveries (webhook_id, id)"
    )
