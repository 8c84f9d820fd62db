"""Table of notes."""

from peewee import SQL, IntegerField, TextField
from playhouse.postgres_ext import DateTimeTZField


def up(migrator, db):
    class Note(db.Model):
        # Of the core's table, which has no model in this file.
        user_id = IntegerField(
            index=True, constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")]
        )
        title = TextField()
        content = TextField()
        source = TextField(null=True)
        created_at = DateTimeTZField()
        updated_at = DateTimeTZField()

        class Meta:
            table_name = "notes"

    db.create_tables([Note])
