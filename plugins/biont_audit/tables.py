"""The permanent record of events."""

from __future__ import annotations

from peewee import AutoField, IntegerField, TextField

from biont import InstantField, Table


class EventLog(Table):
    """One event, as it happened."""

    id = AutoField()
    event_id = TextField(unique=True)
    user_id = IntegerField(index=True)
    event_type = TextField()
    payload = TextField()
    created_at = InstantField()
    correlation_id = TextField()
    causation_id = TextField(null=True)
    hops = IntegerField()

    class Meta:
        table_name = "event_logs"
