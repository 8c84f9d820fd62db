"""Index for the dead letters of an event."""


def up(migrator, db):
    db.execute_sql("CREATE INDEX dead_letter_event ON dead_letter (event_id)")
