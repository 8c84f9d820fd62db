"""The inbox, replays of dead letters, and what handlers were at when the process died."""

from peewee import AutoField, BooleanField, IntegerField, TextField


def up(migrator, db):
    class InboxRow(db.Model):
        id = AutoField()
        event = TextField()

        class Meta:
            table_name = "inbox"

    class CrashMark(db.Model):
        handler = TextField(primary_key=True)
        event_id = TextField()
        crashes = IntegerField()

        class Meta:
            legacy_table_names = False

    db.create_tables([InboxRow, CrashMark])
    migrator.migrate(migrator.add_column("dead_letter", "replaying", BooleanField(default=False)))
