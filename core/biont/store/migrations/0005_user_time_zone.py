"""The zone in which a user lives."""


def up(migrator, db):
    db.execute_sql("ALTER TABLE users ADD COLUMN time_zone TEXT")
