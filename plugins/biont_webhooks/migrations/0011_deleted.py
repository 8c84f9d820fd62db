"""Webhooks whose deliveries are still being deleted."""


def up(migrator, db):
    db.execute_sql("ALTER TABLE webhooks ADD COLUMN deleted_at TIMESTAMPTZ")
