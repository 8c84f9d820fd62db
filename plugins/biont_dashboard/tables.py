"""Table of the links to sign in."""

from __future__ import annotations

from peewee import AutoField, ForeignKeyField, TextField

from biont import InstantField, Table
from biont.accounts import User


class SignInLink(Table):
    """Link that opens a session once, stored as the digest of its token.

    `user` is None for the link of a new workbench, which makes the first user.
    """

    id = AutoField()
    digest = TextField(unique=True)
    user_id: int | None
    user = ForeignKeyField(User, null=True, on_delete="CASCADE")
    created_at = InstantField()
    expires_at = InstantField()
    used_at = InstantField(null=True)

    class Meta:
        table_name = "sign_in_links"
