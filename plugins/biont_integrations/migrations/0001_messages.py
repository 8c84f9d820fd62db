"""Table of messages sent through integrations."""

from peewee import SQL, AutoField, IntegerField, TextField
from playhouse.postgres_ext import DateTimeTZField


def up(migrator, db):
    class SentMessage(db.Model):
        id = AutoField()
        # Of the core's table, which has no model in this file.
        user_id = IntegerField(constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")])
        integration = TextField()
        title = TextField()
        cause = TextField(null=True)
        sent_at = DateTimeTZField()

        class Meta:
            table_name = "integration_messages"
            indexes = ((("user_id", "integration"), False), (("cause", "integration"), True))

    db.create_tables([SentMessage])
