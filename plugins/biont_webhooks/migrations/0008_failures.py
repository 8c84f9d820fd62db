"""Columns that count the failures of a webhook.

The failures of a webhook that fails already are not counted afterwards: the attempts may be many.
"""


def up(migrator, db):
    db.execute_sql("ALTER TABLE webhooks ADD COLUMN failed_attempts INTEGER NOT NULL DEFAULT 0")
    db.execute_sql("ALTER TABLE webhooks ADD COLUMN last_failed_at TIMESTAMPTZ")
