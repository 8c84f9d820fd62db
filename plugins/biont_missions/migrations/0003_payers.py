"""On whose account a mission asks: its key's, and its schedule's."""


def up(migrator, db):
    for column in ("key_id", "schedule_id"):
        db.execute_sql(f"ALTER TABLE missions ADD COLUMN {column} INTEGER")
