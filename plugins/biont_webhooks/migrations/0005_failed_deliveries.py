"""Index for failed deliveries; a partial index costs nothing for deliveries that succeed."""


def up(migrator, db):
    db.execute_sql(
        "CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (webhook_id) "
        "WHERE status = 'failed'"
    )
