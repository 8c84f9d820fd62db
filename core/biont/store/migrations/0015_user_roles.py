"""The roles of users, and the instant since which a user is disabled.

The first user is the administrator. The others were equal to one another until now, and none of
them gets power over the rest by an upgrade.
"""

_STATEMENTS = (
    "ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'member'",
    "ALTER TABLE users ADD COLUMN disabled_at TIMESTAMPTZ",
    "UPDATE users SET role = 'admin' WHERE id = (SELECT min(id) FROM users)",
    "CREATE INDEX users_disabled ON users (id) WHERE disabled_at IS NOT NULL",
)


def up(migrator, db):
    for statement in _STATEMENTS:
        db.execute_sql(statement)
