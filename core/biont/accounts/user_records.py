"""Table of users."""

from __future__ import annotations

from enum import StrEnum

from peewee import AutoField, TextField

from biont.store.database import InstantField, Table


class Role(StrEnum):
    """Role of a user: an administrator manages the users."""

    ADMIN = "admin"
    MEMBER = "member"


class User(Table):
    """User: owner of keys, notes, schedules and webhooks.

    Attributes:
        role: a `Role`.
        time_zone: the IANA name of the time zone for schedules that name none; None for the
            time zone of the settings.
        disabled_at: the instant since which the user is disabled; None for an enabled user.
    """

    id = AutoField()
    name = TextField(unique=True)
    role = TextField(default=Role.MEMBER)
    time_zone = TextField(null=True)
    created_at = InstantField()
    disabled_at = InstantField(null=True)

    class Meta:
        table_name = "users"
