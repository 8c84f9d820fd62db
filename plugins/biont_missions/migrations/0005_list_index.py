"""Index for tasks filtered by mission and status together."""

_STATEMENTS = ("CREATE INDEX tasks_user_mission_status ON tasks (user_id, mission_id, status)",)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
