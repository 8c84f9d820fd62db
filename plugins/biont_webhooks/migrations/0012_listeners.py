"""Table of listeners."""

from peewee import SQL, IntegerField, TextField
from playhouse.postgres_ext import DateTimeTZField


def up(migrator, db):
    class Listener(db.Model):
        user_id = IntegerField(
            index=True, constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")]
        )
        name = TextField()
        event_types = TextField()
        secret = TextField()
        position = IntegerField()
        created_at = DateTimeTZField()

        class Meta:
            table_name = "webhook_listeners"
            indexes = ((("user_id", "name"), True),)

    db.create_tables([Listener])
