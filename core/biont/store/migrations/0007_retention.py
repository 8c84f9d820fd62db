"""Indexes by which retention finds old rows."""

_STATEMENTS = (
    "CREATE INDEX schedule_runs_ended ON schedule_runs (ended_at) WHERE ended_at IS NOT NULL",
    "CREATE INDEX dead_letter_failed_at ON dead_letter (failed_at)",
)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
