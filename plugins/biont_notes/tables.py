"""Where notes are kept.

Beside these the migrations make `note_tags` and `notes_text`, the indexes of tags and
words. Triggers keep them; nobody else writes them.
"""

from __future__ import annotations

from peewee import AutoField, ForeignKeyField, IntegerField, TextField

from biont import InstantField, OwnedTable, Table


class Note(OwnedTable):
    """A text with a title.

    Attributes:
        content: Markdown, kept to the letter.
        tags: a JSON list of text.
        version: 1, and one more after each change.
        source: what wrote it, when no person did: ``run-7``.
        source_url: the path at which that is read.
    """

    title = TextField()
    content = TextField()
    tags = TextField(default="[]")
    version = IntegerField(default=1)
    source = TextField(null=True)
    source_url = TextField(null=True)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "notes"


class NoteVersion(Table):
    """A note as it was before a change.

    Attributes:
        created_at: when it became so.
    """

    id = AutoField()
    note = ForeignKeyField(Note, on_delete="CASCADE")
    version = IntegerField()
    title = TextField()
    content = TextField()
    tags = TextField()
    created_at = InstantField()

    class Meta:
        table_name = "note_versions"
