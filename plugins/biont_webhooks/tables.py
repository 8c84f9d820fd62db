"""Webhooks, what is owed to them, and what was tried."""

from __future__ import annotations

from peewee import AutoField, ForeignKeyField, IntegerField, TextField

from biont import InstantField, OwnedTable, Table


class Webhook(OwnedTable):
    """A URL that wants to be told about events."""

    url = TextField()
    event_types = TextField()
    secret = TextField()
    created_at = InstantField()

    class Meta:
        table_name = "webhooks"


class Message(Table):
    """An event as receivers get it, kept once for all of them."""

    event_id = TextField(primary_key=True)
    event_type = TextField()
    body = TextField()
    created_at = InstantField()

    class Meta:
        table_name = "webhook_messages"


class Delivery(Table):
    """One event that is owed to one webhook."""

    id = AutoField()
    webhook = ForeignKeyField(Webhook, on_delete="CASCADE")
    message = ForeignKeyField(Message, on_delete="CASCADE")
    status = TextField()

    class Meta:
        table_name = "webhook_deliveries"
        indexes = ((("webhook", "message"), True),)


class Attempt(Table):
    """One POST that was made for a delivery."""

    id = AutoField()
    delivery_id: int
    delivery = ForeignKeyField(Delivery, on_delete="CASCADE")
    attempted_at = InstantField()
    duration_ms = IntegerField()
    status_code = IntegerField(null=True)
    error = TextField(null=True)
    answer = TextField()

    class Meta:
        table_name = "webhook_attempts"
