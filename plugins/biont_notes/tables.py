"""Tables of notes and earlier versions.

The migrations also create ``note_tags`` and ``notes_text``, the indexes of tags and words.
Triggers update both indexes at each change of ``notes``; no other code writes to the indexes.
"""

from __future__ import annotations

from peewee import AutoField, ForeignKeyField, IntegerField, TextField

from biont import InstantField, OwnedTable, Table
from biont.store import OriginField


class Note(OwnedTable):
    """A text with a title.

    Attributes:
        content: Markdown, unchanged.
        tags: a JSON list of text.
        version: 1, plus the number of changes.
        source: the origin of a note that no person wrote: ``run-7``.
        source_url: the REST path of the origin.
        origin: the event by which text from outside came in that the note may repeat, if any.
    """

    title = TextField()
    content = TextField()
    tags = TextField(default="[]")
    version = IntegerField(default=1)
    source = TextField(null=True)
    source_url = TextField(null=True)
    origin = OriginField()
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "notes"


class NoteVersion(Table):
    """An earlier version of a note.

    Attributes:
        created_at: the instant of the change that made this version.
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
