"""Tables of the event log: the entries, and the two ends of the hash chain."""

from __future__ import annotations

from typing import ClassVar

from peewee import AutoField, IntegerField, TextField

from biont import InstantField, Table


class LogEntry(Table):
    """One recorded event; see `biont_audit.chain` for `number` and `hash`."""

    # The chain would break; retention deletes the entries in time.
    keeps_rows_of_deleted_users: ClassVar[bool] = True

    number = AutoField()
    event_id = TextField(unique=True)
    user_id = IntegerField()
    event_type = TextField()
    payload = TextField()
    created_at = InstantField()
    correlation_id = TextField()
    causation_id = TextField(null=True)
    hops = IntegerField()
    origin = TextField(null=True)
    hash = TextField()

    class Meta:
        table_name = "event_logs"
        indexes = (
            (("user_id", "created_at"), False),
            (("user_id", "event_type", "created_at"), False),
            (("user_id", "correlation_id", "created_at"), False),
        )


class LogEnds(Table):
    """The only row of its table: the beginning and the end of the log.

    The anchor is the last entry that retention has deleted, the head is the newest entry.
    """

    anchor_number = IntegerField()
    anchor_hash = TextField()
    head_number = IntegerField()
    head_hash = TextField()

    class Meta:
        table_name = "event_log_ends"
