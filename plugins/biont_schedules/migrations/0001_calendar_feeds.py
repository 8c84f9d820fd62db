"""Where the tokens of calendar feeds are kept."""

from peewee import SQL, BlobField, IntegerField
from playhouse.postgres_ext import DateTimeTZField


def up(migrator, db):
    class CalendarFeed(db.Model):
        # Of the core's table, which has no model in this file.
        user_id = IntegerField(
            unique=True, constraints=[SQL("REFERENCES users (id) ON DELETE CASCADE")]
        )
        token_hash = BlobField(unique=True)
        created_at = DateTimeTZField()

        class Meta:
            table_name = "calendar_feeds"

    db.create_tables([CalendarFeed])
