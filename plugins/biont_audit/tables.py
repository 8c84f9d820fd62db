"""The permanent record of events, and the two ends of its chain."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import cast

from peewee import AutoField, IntegerField, TextField

from biont import InstantField, Table


class LogEntry(Table):
    """One event, as it happened; see `biont_audit.chain` for `number` and `hash`."""

    number = AutoField()
    event_id = TextField(unique=True)
    user_id = IntegerField()
    event_type = TextField()
    payload = TextField()
    created_at = InstantField()
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


class LogEnds(Table):
    """The one row that says where the log begins and ends.

    The anchor is the last entry that retention has removed, the head is the newest one.
    """

    anchor_number = IntegerField()
    anchor_hash = TextField()
    head_number = IntegerField()
    head_hash = TextField()

    class Meta:
        table_name = "event_log_ends"


def execute(sql: str, parameters: Sequence[object]) -> sqlite3.Cursor:
    """Run a statement on the hot path, where to put a query together costs more than to run it."""
    database = LogEntry._meta.database  # noqa: SLF001  # peewee's way
    return cast("sqlite3.Cursor", database.execute_sql(sql, parameters))
