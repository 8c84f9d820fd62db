"""The tables of the core."""

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BooleanField,
    ForeignKeyField,
    IntegerField,
    TextField,
)
from playhouse.postgres_ext import DateTimeTZField


def up(migrator, db):
    class User(db.Model):
        name = TextField(unique=True)
        created_at = DateTimeTZField()

        class Meta:
            table_name = "users"

    class ApiKey(db.Model):
        user = ForeignKeyField(User, on_delete="CASCADE")
        name = TextField()
        digest = TextField(unique=True)
        prefix = TextField()
        scope = TextField()
        created_at = DateTimeTZField()
        expires_at = DateTimeTZField(null=True)
        revoked_at = DateTimeTZField(null=True)
        last_used_at = DateTimeTZField(null=True)

        class Meta:
            table_name = "api_keys"

    class JournalRow(db.Model):
        sequence = BigIntegerField(primary_key=True)
        id = TextField()
        user_id = IntegerField()
        event_type = TextField()
        payload = TextField()
        created_at = DateTimeTZField()
        correlation_id = TextField()
        causation_id = TextField(null=True)
        hops = IntegerField()

        class Meta:
            table_name = "journal"

    class HandlerPosition(db.Model):
        handler = TextField(primary_key=True)
        plugin = TextField()
        sequence = BigIntegerField()

        class Meta:
            legacy_table_names = False

    class DeadLetter(db.Model):
        handler = TextField(index=True)
        event_id = TextField()
        event_type = TextField()
        user_id = IntegerField()
        event = TextField()
        error = TextField()
        attempts = IntegerField()
        failed_at = DateTimeTZField()

        class Meta:
            legacy_table_names = False

    class Schedule(db.Model):
        id = AutoField()
        user = ForeignKeyField(User, on_delete="CASCADE")
        name = TextField()
        job_kind = TextField()
        parameters = TextField()
        expression = TextField()
        time_zone = TextField()
        paused = BooleanField()
        next_fire_at = DateTimeTZField(null=True)
        created_at = DateTimeTZField()
        updated_at = DateTimeTZField()

        class Meta:
            table_name = "schedules"

    # Partial, so that a sweep reads what is due and not what exists.
    Schedule.add_index(
        Schedule.index(
            Schedule.next_fire_at,
            name="schedules_due",
            where=SQL("next_fire_at IS NOT NULL AND NOT paused"),
        )
    )

    class ScheduleRun(db.Model):
        schedule = ForeignKeyField(Schedule, on_delete="CASCADE")
        scheduled_for = DateTimeTZField()
        status = TextField()
        attempts = IntegerField()
        claimed_at = DateTimeTZField()
        started_at = DateTimeTZField(null=True)
        ended_at = DateTimeTZField(null=True)
        error = TextField(null=True)
        result = TextField(null=True)

        class Meta:
            table_name = "schedule_runs"
            indexes = ((("schedule", "scheduled_for"), True),)

    ScheduleRun.add_index(
        ScheduleRun.index(
            ScheduleRun.id,
            name="schedule_runs_unfinished",
            where=SQL("ended_at IS NULL"),
        )
    )
    db.create_tables(
        [User, ApiKey, JournalRow, HandlerPosition, DeadLetter, Schedule, ScheduleRun]
    )
