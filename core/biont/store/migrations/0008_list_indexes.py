"""Indexes for the filters of lists."""

_STATEMENTS = (
    "CREATE INDEX dead_letter_user ON dead_letter (user_id)",
    "CREATE INDEX dead_letter_user_handler ON dead_letter (user_id, handler)",
    "CREATE INDEX schedule_runs_status ON schedule_runs (schedule_id, status)",
)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
