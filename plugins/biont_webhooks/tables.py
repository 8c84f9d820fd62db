"""Webhooks, what is owed to them, and what was tried."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from peewee import AutoField, BooleanField, FloatField, ForeignKeyField, IntegerField, TextField

from biont import InstantField, OwnedTable, Table


class WebhookStatus(StrEnum):
    """Whether a webhook is told of events."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


class DeliveryStatus(StrEnum):
    """What became of a delivery; a pending one is owed."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class AttemptTrigger(StrEnum):
    """Why an attempt is made."""

    EVENT = "event"
    RETRY = "retry"
    RESEND = "resend"
    RECOVER = "recover"
    REPLAY = "replay"
    TEST = "test"


class ClaimState(IntEnum):
    """Whether a pending delivery is in a process's hands."""

    FREE = 0
    TAKEN = 1
    DOUBTFUL = 2
    """A process has died with it: an attempt may have arrived."""


class Webhook(OwnedTable):
    """A URL that wants to be told about events.

    `event_types`, `payload_filter` and `retry` are JSON. `secret`, `previous_secret` and
    `headers`, which is JSON below that, are tokens of the vault.
    """

    name = TextField(null=True)
    url = TextField()
    event_types = TextField()
    payload_filter = TextField(null=True, column_name="filter")
    secret = TextField()
    previous_secret = TextField(null=True)
    previous_secret_until = InstantField(null=True)
    success = TextField()
    retry = TextField()
    headers = TextField(null=True)
    rate = FloatField(null=True)
    concurrency = IntegerField(null=True)
    status = TextField()
    disabled_reason = TextField(null=True)
    failing_since = InstantField(null=True)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "webhooks"


class EventMessage(Table):
    """An event as receivers get it, kept once for all of them."""

    event_id = TextField(primary_key=True)
    event_type = TextField()
    body = TextField()
    created_at = InstantField()
    correlation_id = TextField(null=True)
    hops = IntegerField(default=0)

    class Meta:
        table_name = "webhook_messages"


class Delivery(Table):
    """One event that is owed, or was, to one webhook.

    `due_at` is the earliest instant of the next attempt, null for now, and
    `trigger` why it is made. `claimed` is a `ClaimState`. Of
    deliveries from before there were these columns `created_at` is null.
    """

    id = AutoField()
    webhook_id: int
    webhook = ForeignKeyField(Webhook, on_delete="CASCADE")
    message_id: str
    message = ForeignKeyField(EventMessage, on_delete="CASCADE")
    status = TextField()
    attempts = IntegerField(default=0)
    due_at = InstantField(null=True)
    trigger = TextField(default=AttemptTrigger.EVENT)
    claimed = IntegerField(default=ClaimState.FREE)
    created_at = InstantField(null=True)

    class Meta:
        table_name = "webhook_deliveries"
        indexes = ((("message", "webhook"), True),)


class Attempt(Table):
    """One POST that was made for a delivery.

    `redelivered` says that an earlier one may have arrived of which a crash has
    lost the record.
    """

    id = AutoField()
    delivery_id: int
    delivery = ForeignKeyField(Delivery, on_delete="CASCADE")
    trigger = TextField(default=AttemptTrigger.EVENT)
    redelivered = BooleanField(default=False)
    attempted_at = InstantField()
    duration_ms = IntegerField()
    status_code = IntegerField(null=True)
    error = TextField(null=True)
    answer = TextField()

    class Meta:
        table_name = "webhook_attempts"
