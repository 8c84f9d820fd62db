"""The journal, many events in a row."""

import orjson
from peewee import BigIntegerField, TextField

_BLOCK_SIZE = 250


def up(migrator, db):
    class JournalBlock(db.Model):
        last = BigIntegerField(primary_key=True)
        entries = TextField()

        class Meta:
            table_name = "journal_blocks"

    db.create_tables([JournalBlock])
    rows = db.execute_sql(
        "SELECT sequence, id, user_id, event_type, payload, created_at, correlation_id,"
        " causation_id, hops FROM journal ORDER BY sequence"
    )
    while block := rows.fetchmany(_BLOCK_SIZE):
        JournalBlock.create(last=block[-1][0], entries=orjson.dumps(block).decode())
    db.execute_sql("DROP TABLE journal")
