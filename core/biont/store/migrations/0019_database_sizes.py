"""Sizes of the database, kept once an hour."""


def up(migrator, db):
    db.execute_sql(
        "CREATE TABLE database_sizes ("
        "id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "
        "measured_at TIMESTAMPTZ NOT NULL, bytes INTEGER NOT NULL)"
    )
