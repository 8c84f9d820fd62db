"""Where reminders are kept."""

from peewee import SQL, IntegerField, TextField
from playhouse.postgres_ext import DateTimeTZField


def up(migrator, db):
    class Reminder(db.Model):
        # Of the core's tables, which have no models in this file.
        user_id = IntegerField(
            index=True, constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")]
        )
        schedule_id = IntegerField(
            unique=True, constraints=[SQL("REFERENCES schedules (id) ON DELETE CASCADE")]
        )
        snooze_id = IntegerField(
            null=True,
            unique=True,
            constraints=[SQL("REFERENCES schedules (id) ON DELETE SET NULL")],
        )
        text = TextField()
        triggered_at = DateTimeTZField(null=True)
        done_at = DateTimeTZField(null=True)
        created_at = DateTimeTZField()
        updated_at = DateTimeTZField()

        class Meta:
            table_name = "reminders"

    db.create_tables([Reminder])
