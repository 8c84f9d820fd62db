"""Tables of webhooks, event messages, deliveries and attempts."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import ClassVar, Self

from peewee import (
    AutoField,
    BooleanField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    ModelSelect,
    TextField,
)

from biont import InstantField, OwnedTable, Table
from biont.exceptions import NotFound


class WebhookStatus(StrEnum):
    """Status of a webhook: only an active webhook gets deliveries."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


class DeliveryStatus(StrEnum):
    """Status of a delivery."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class AttemptTrigger(StrEnum):
    """Reason for an attempt."""

    EVENT = "event"
    RETRY = "retry"
    RESEND = "resend"
    RECOVER = "recover"
    REPLAY = "replay"
    TEST = "test"


class ClaimState(IntEnum):
    """Claim of a pending delivery; see `biont_webhooks.delivery.claims`."""

    FREE = 0
    TAKEN = 1
    """In the memory of the running process."""
    DOUBTFUL = 2
    """In the memory of a process that died: an attempt may have arrived."""


class ErrorClass(StrEnum):
    """Kind of failure of an attempt."""

    STATUS = "status"
    TIMEOUT = "timeout"
    FORBIDDEN = "forbidden"
    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    ANSWER = "answer"
    UNEXPECTED = "unexpected"


class Webhook(OwnedTable):
    """Subscription of a URL to events.

    `event_types`, `payload_filter`, `retry` and `previous_secrets` are JSON. `secret`, the
    secrets in `previous_secrets`, and `headers` are encrypted by the vault; decrypted, `headers`
    is JSON.
    """

    name = TextField(null=True)
    url = TextField()
    event_types = TextField()
    payload_filter = TextField(null=True, column_name="filter")
    secret = TextField()
    # After a rotation both secrets sign for a while, so that receivers can change theirs.
    previous_secrets = TextField(null=True)
    success = TextField()
    retry = TextField()
    headers = TextField(null=True)
    rate = FloatField(null=True)
    concurrency = IntegerField(null=True)
    status = TextField()
    disabled_reason = TextField(null=True)
    failing_since = InstantField(null=True)
    failed_attempts = IntegerField(default=0)
    last_failed_at = InstantField(null=True)
    # Asked for by the receiver's Retry-After: no attempt begins before this instant.
    waits_until = InstantField(null=True)
    created_at = InstantField()
    updated_at = InstantField()
    # Deleted for its user; the row stays until all deliveries are deleted, which takes a while.
    deleted_at = InstantField(null=True)

    class Meta:
        table_name = "webhooks"

    @classmethod
    def of_user(cls, user_id: int) -> ModelSelect[Self]:
        """Return the query of all webhooks of a user, except for deleted webhooks."""
        return super().of_user(user_id).where(cls.deleted_at.is_null())

    @classmethod
    def get_owned(cls, user_id: int, row_id: int) -> Self:
        """Return a webhook of a user that is not deleted.

        Raises:
            NotFound: the webhook does not exist, is deleted, or belongs to another user.
        """
        webhook = super().get_owned(user_id, row_id)
        if webhook.deleted_at is not None:
            raise NotFound(f"there is no webhook {row_id}")
        return webhook


class EventMessage(Table):
    """Event in the form that receivers get, stored once for all webhooks."""

    ends_with_referrers: ClassVar[bool] = True

    # The event id is the key, so that all webhooks of an event share one row.
    event_id = TextField(primary_key=True)
    event_type = TextField()
    body = TextField()
    created_at = InstantField()
    correlation_id = TextField(null=True)
    hops = IntegerField(default=0)

    class Meta:
        table_name = "webhook_messages"


class Delivery(Table):
    """Delivery of an event to a webhook.

    `due_at` is the earliest instant of the next attempt, null for now. `trigger` is the reason
    for the next attempt, and `claimed` a `ClaimState`. `created_at` is null in rows from before
    migration 0002.
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
        # Unique, so that a repeated handler call or replay creates no second delivery.
        indexes = ((("message", "webhook"), True),)


class Attempt(Table):
    """POST request made for a delivery.

    `redelivered` is true when an earlier attempt, whose record a crash has lost, may have
    arrived.
    """

    id = AutoField()
    delivery_id: int
    delivery = ForeignKeyField(Delivery, on_delete="CASCADE")
    trigger = TextField(default=AttemptTrigger.EVENT)
    redelivered = BooleanField(default=False)
    attempted_at = InstantField()
    duration_ms = IntegerField()
    # Null when no answer came: `error` then says why.
    status_code = IntegerField(null=True)
    error = TextField(null=True)
    error_class = TextField(null=True)
    answer = TextField()
    answer_problem = TextField(null=True)

    class Meta:
        table_name = "webhook_attempts"
