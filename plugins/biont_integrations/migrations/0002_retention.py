"""Index by which retention finds old messages."""


def up(migrator, db):
    db.execute_sql("CREATE INDEX integration_messages_sent ON integration_messages (sent_at)")
