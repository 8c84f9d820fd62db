"""Index for the list of messages, in the order of their ids."""

_STATEMENTS = ("CREATE INDEX integration_messages_user ON integration_messages (user_id)",)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
