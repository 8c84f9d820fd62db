"""Where notes are kept."""

from __future__ import annotations

from peewee import AutoField, ForeignKeyField, ModelSelect, TextField
from playhouse.postgres_ext import DateTimeTZField

from biont import Table, User


class Note(Table):
    """A text with a title."""

    id = AutoField()
    user_id: int
    user = ForeignKeyField(User, on_delete="CASCADE")
    title = TextField()
    content = TextField()
    source = TextField(null=True)
    created_at = DateTimeTZField()
    updated_at = DateTimeTZField()

    class Meta:
        table_name = "notes"

    @classmethod
    def of_user(cls, user_id: int) -> ModelSelect[Note]:
        """Return the query from which everything a user may see starts."""
        return cls.select().where(cls.user == user_id)
