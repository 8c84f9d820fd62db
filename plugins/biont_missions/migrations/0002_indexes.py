"""Indexes for filtered lists, and for the task that an approval resumes."""

_STATEMENTS = (
    "CREATE INDEX missions_user_status ON missions (user_id, status)",
    "CREATE INDEX tasks_user_status ON tasks (user_id, status)",
    "CREATE INDEX tasks_user_mission ON tasks (user_id, mission_id)",
    "CREATE INDEX tasks_agent_run ON tasks (agent_run_id)",
)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
