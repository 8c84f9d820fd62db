"""Index for the upcoming occurrences of a user, in the order of their instants."""


def up(migrator, db):
    db.execute_sql(
        "CREATE INDEX schedules_user_due ON schedules (user_id, next_fire_at) "
        "WHERE next_fire_at IS NOT NULL AND NOT paused"
    )
