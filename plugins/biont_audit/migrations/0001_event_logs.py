"""The permanent record of events."""

from peewee import AutoField, IntegerField, TextField
from playhouse.postgres_ext import DateTimeTZField


def up(migrator, db):
    class EventLog(db.Model):
        id = AutoField()
        event_id = TextField(unique=True)
        user_id = IntegerField(index=True)
        event_type = TextField()
        payload = TextField()
        created_at = DateTimeTZField()
        correlation_id = TextField()
        causation_id = TextField(null=True)
        hops = IntegerField()

        class Meta:
            table_name = "event_logs"

    db.create_tables([EventLog])
