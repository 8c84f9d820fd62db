"""Columns of attempts: the kind of the failure, and the error in the body of an answer."""


def up(migrator, db):
    db.execute_sql("ALTER TABLE webhook_attempts ADD COLUMN error_class TEXT")
    db.execute_sql("ALTER TABLE webhook_attempts ADD COLUMN answer_problem TEXT")
