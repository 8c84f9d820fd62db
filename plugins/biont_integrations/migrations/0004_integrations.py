"""Table of the integrations that users connect."""

from peewee import SQL, AutoField, BooleanField, IntegerField, TextField
from playhouse.postgres_ext import DateTimeTZField


def up(migrator, db):
    class Integration(db.Model):
        id = AutoField()
        # Of the core's table, which has no model in this file.
        user_id = IntegerField(
            index=True, constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")]
        )
        name = TextField()
        kind = TextField()
        settings = TextField()
        reports = BooleanField()
        shared = BooleanField(index=True)
        last_success_at = DateTimeTZField(null=True)
        last_failure_at = DateTimeTZField(null=True)
        last_error = TextField(null=True)
        failing = BooleanField()
        created_at = DateTimeTZField()
        updated_at = DateTimeTZField()

        class Meta:
            table_name = "integrations"
            indexes = ((("user_id", "name"), True),)

    db.create_tables([Integration])
