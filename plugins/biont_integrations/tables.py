"""What was sent through integrations."""

from __future__ import annotations

from peewee import TextField

from biont import InstantField, OwnedTable


class SentMessage(OwnedTable):
    """A message that an outside system has taken.

    Attributes:
        integration: by which connection, by its name in the settings.
        title: what the message was called.
        cause: the id of the event that it reports; unique for its integration.
        sent_at: when it was taken.
    """

    integration = TextField()
    title = TextField()
    cause = TextField(null=True)
    sent_at = InstantField()

    class Meta:
        table_name = "integration_messages"
        indexes = ((("user", "integration"), False), (("cause", "integration"), True))
