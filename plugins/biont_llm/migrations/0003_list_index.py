"""Index for the list of calls, in the order of their ids."""

_STATEMENTS = ("CREATE INDEX llm_calls_user_id ON llm_calls (user_id)",)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
