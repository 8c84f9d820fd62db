"""Origin of events to which text from outside has led."""


def up(migrator, db):
    # No default and no rewrite: the hashes of entries without origin stay as they are.
    db.execute_sql('ALTER TABLE "event_logs" ADD COLUMN "origin" TEXT')
