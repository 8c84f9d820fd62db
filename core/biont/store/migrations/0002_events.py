"""The inbox, replays of dead letters, and what handlers were at when the process died."""

from peewee import AutoField, BooleanField, CompositeKey, IntegerField, TextField


def up(migrator, db):
    class InboxRow(db.Model):
        id = AutoField()
        event = TextField()

        class Meta:
            table_name = "inbox"

    class CrashMark(db.Model):
        handler = TextField()
        event_id = TextField()
        alone = BooleanField()
        crashes = IntegerField()

        class Meta:
            legacy_table_names = False
            primary_key = CompositeKey("handler", "event_id")

    db.create_tables([InboxRow, CrashMark])
    migrator.migrate(migrator.add_column("dead_letter", "replaying", BooleanField(default=False)))
