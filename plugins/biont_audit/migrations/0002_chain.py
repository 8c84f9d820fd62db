"""Numbers and hashes that tie each entry to all entries before it."""

from peewee import AutoField, IntegerField, TextField
from playhouse.postgres_ext import DateTimeTZField

from biont_audit.chain import ORIGIN, hash_row


def up(migrator, db):
    class LogEntry(db.Model):
        number = AutoField()
        event_id = TextField(unique=True)
        user_id = IntegerField()
        event_type = TextField()
        payload = TextField()
        created_at = DateTimeTZField()
        correlation_id = TextField()
        causation_id = TextField(null=True)
        hops = IntegerField()
        hash = TextField()

        class Meta:
            table_name = "event_logs"
            indexes = (
                (("user_id", "created_at"), False),
                (("user_id", "event_type", "created_at"), False),
                (("user_id", "correlation_id", "created_at"), False),
            )

    class LogEnds(db.Model):
        anchor_number = IntegerField()
        anchor_hash = TextField()
        head_number = IntegerField()
        head_hash = TextField()

        class Meta:
            table_name = "event_log_ends"

    db.execute_sql("ALTER TABLE event_logs RENAME TO event_logs_unchained")
    for index in db.get_indexes("event_logs_unchained"):
        if index.sql:  # the index of a constraint goes with the table
            db.execute_sql(f'DROP INDEX "{index.name}"')
    db.create_tables([LogEntry, LogEnds])
    number, hash_ = _copy(db.connection())
    db.execute_sql("DROP TABLE event_logs_unchained")
    LogEnds.create(
        anchor_number=ORIGIN.number,
        anchor_hash=ORIGIN.hash,
        head_number=number,
        head_hash=hash_,
    )


def _copy(connection):
    """Chain the existing entries; return the number and hash of the last entry."""
    number, hash_ = ORIGIN.number, ORIGIN.hash
    rows = connection.execute(
        "SELECT event_id, user_id, event_type, payload, created_at, correlation_id,"
        " causation_id, hops FROM event_logs_unchained ORDER BY id"
    )
    for columns in rows:
        number += 1
        row = (number, *columns)
        hash_ = hash_row(hash_, row)
        connection.execute(
            "INSERT INTO event_logs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, hash_)
        )
    return number, hash_
