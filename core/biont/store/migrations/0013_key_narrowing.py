"""Limits of API keys within their scopes; null for no limit."""


def up(migrator, db):
    for column in ("events", "models"):
        db.execute_sql(f"ALTER TABLE api_keys ADD COLUMN {column} TEXT")
