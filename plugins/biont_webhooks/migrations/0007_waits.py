"""Column for the instant before which a receiver wants no attempt (``Retry-After``)."""


def up(migrator, db):
    db.execute_sql("ALTER TABLE webhooks ADD COLUMN waits_until TIMESTAMPTZ")
