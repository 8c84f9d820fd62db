"""Tables of inbound webhooks, their accepted requests, and their last requests."""

from __future__ import annotations

from enum import StrEnum

from peewee import BooleanField, FloatField, ForeignKeyField, TextField

from biont import InstantField, OwnedTable


class Verdict(StrEnum):
    """Verdict on a request."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    FILTERED = "filtered"
    HANDSHAKE = "handshake"
    REFUSED = "refused"


class ActionState(StrEnum):
    """State of the action of an accepted request."""

    PENDING = "pending"
    DONE = "done"


class InboundWebhook(OwnedTable):
    """URL at which another system starts an action of a user.

    `template`, `action`, `payload_filter`, `previous_secrets` and `addresses` are JSON. `secret`
    and the secrets in `previous_secrets` are encrypted by the vault.

    Attributes:
        token_hash: the SHA-256 of the token in the URL; the token itself is not stored.
        preset: the name of the preset.
        template: the signature template; None for requests without signature.
        secret: the secret; None before the user has set the secret of the sender.
        addresses: the networks from which requests are accepted; None for all.
        rate: the most requests in a second; None for the setting.
    """

    name = TextField()
    token_hash = TextField(unique=True)
    preset = TextField()
    template = TextField(null=True)
    secret = TextField(null=True)
    previous_secrets = TextField(null=True)
    action = TextField()
    payload_filter = TextField(null=True, column_name="filter")
    addresses = TextField(null=True)
    rate = FloatField(null=True)
    paused = BooleanField(default=False)
    last_received_at = InstantField(null=True)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "inbound_webhooks"


class InboundDelivery(OwnedTable):
    """Accepted request: the id by which a repetition is known, and the state of the action.

    Attributes:
        delivery_id: the id that the sender gave, or the digest of a signature with a time;
            unique for each webhook. None if a repetition cannot be known.
        event_id: the id of the event ``inbound_received``.
        state: an `ActionState`.
        prompt: the prompt that waits for an answer, as JSON; None for other actions, and when
            done.
        result: the path of the result in the REST API, such as of a note.
    """

    made_at = "received_at"

    webhook_id: int
    webhook = ForeignKeyField(InboundWebhook, on_delete="CASCADE")
    delivery_id = TextField(null=True)
    event_id = TextField(unique=True)
    state = TextField(default=ActionState.DONE)
    prompt = TextField(null=True)
    result = TextField(null=True)
    received_at = InstantField(index=True)

    class Meta:
        table_name = "inbound_deliveries"
        indexes = ((("webhook", "delivery_id"), True),)


class InboundRequest(OwnedTable):
    """One of the last requests of an inbound webhook, with the verdict.

    Attributes:
        verdict: a `Verdict`.
        reason: the reason of the verdict, as a sentence; None for an accepted request.
        address: the address of the client.
        headers: a JSON object of the headers, without credentials.
        body: the first characters of the body.
        event_id: the event of an accepted request.
    """

    made_at = "received_at"

    webhook_id: int
    webhook = ForeignKeyField(InboundWebhook, on_delete="CASCADE")
    verdict = TextField()
    reason = TextField(null=True)
    address = TextField()
    headers = TextField()
    body = TextField()
    event_id = TextField(null=True)
    received_at = InstantField()

    class Meta:
        table_name = "inbound_requests"
