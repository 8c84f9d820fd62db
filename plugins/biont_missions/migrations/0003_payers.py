"""Key and schedule on whose account a mission calls models."""


def up(migrator, db):
    for column in ("key_id", "schedule_id"):
        db.execute_sql(f"ALTER TABLE missions ADD COLUMN {column} INTEGER")
