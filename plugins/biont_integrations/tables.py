"""Tables of integrations, and of the messages sent through them."""

from __future__ import annotations

from peewee import BooleanField, TextField

from biont import InstantField, OwnedTable
from biont.store import OriginField


class Integration(OwnedTable):
    """Connection of a user to an outside system.

    Attributes:
        name: the name, unique among the integrations of the user.
        kind: the name of the kind.
        settings: the settings of the kind, as JSON that the vault has encrypted.
        reports: whether answers of schedules without ``report_to`` are sent.
        shared: whether all users may send messages.
        last_error: the reason of the latest failure; None after a change of the settings.
        failing: whether the latest message or test failed.
    """

    name = TextField()
    kind = TextField()
    settings = TextField()
    reports = BooleanField(default=False)
    shared = BooleanField(default=False, index=True)
    last_success_at = InstantField(null=True)
    last_failure_at = InstantField(null=True)
    last_error = TextField(null=True)
    failing = BooleanField(default=False)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "integrations"
        indexes = ((("user", "name"), True),)


class SentMessage(OwnedTable):
    """A message that an outside system has accepted.

    Attributes:
        integration: the name of the integration.
        title: the title of the message.
        cause: the id of the reported event; unique within an integration. None for a message
            that reports no event.
        origin: the event by which text from outside came in that led to the message, if any.
        sent_at: the instant after the system accepted the message.
    """

    made_at = "sent_at"

    integration = TextField()
    title = TextField()
    cause = TextField(null=True)
    origin = OriginField()
    sent_at = InstantField()

    class Meta:
        table_name = "integration_messages"
        indexes = ((("user", "integration"), False), (("cause", "integration"), True))
