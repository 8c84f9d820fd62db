"""Table of messages sent through integrations."""

from __future__ import annotations

from peewee import TextField

from biont import InstantField, OwnedTable
from biont.store import OriginField


class SentMessage(OwnedTable):
    """A message that an outside system has accepted.

    Attributes:
        integration: the name of the connection in the settings.
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
