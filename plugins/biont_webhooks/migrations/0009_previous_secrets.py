"""List of replaced secrets instead of a single secret: each signs until its own time is up."""


def up(migrator, db):
    # The former columns may hold plain text from before secrets were encrypted.
    db.execute_sql("PRAGMA secure_delete = ON")
    db.execute_sql("ALTER TABLE webhooks ADD COLUMN previous_secrets TEXT")
    db.execute_sql(
        "UPDATE webhooks "
        "SET previous_secrets = json_array(json_array(previous_secret, previous_secret_until)) "
        "WHERE previous_secret IS NOT NULL AND previous_secret_until IS NOT NULL"
    )
    db.execute_sql("ALTER TABLE webhooks DROP COLUMN previous_secret")
    db.execute_sql("ALTER TABLE webhooks DROP COLUMN previous_secret_until")
