"""Index of the calls of a mission, for the cost of the mission."""


def up(migrator, db):
    db.execute_sql(
        "CREATE INDEX llm_calls_mission ON llm_calls (mission_id) WHERE mission_id IS NOT NULL"
    )
