"""Where notes are kept."""

from __future__ import annotations

from peewee import TextField

from biont import InstantField, OwnedTable


class Note(OwnedTable):
    """A text with a title."""

    title = TextField()
    content = TextField()
    source = TextField(null=True)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "notes"
