"""Table of API keys, with the functions that run inside reads and writes."""

from __future__ import annotations

from datetime import datetime

import orjson
from peewee import AutoField, BooleanField, ForeignKeyField, TextField

from biont.accounts.principal import WHOLE, Narrowing
from biont.accounts.user_records import User
from biont.exceptions import NotFound
from biont.store.database import InstantField, Table, execute_sql
from biont.store.span import Span

_SELECT_FAMILY = """
    WITH RECURSIVE family (id) AS (
        VALUES (?) UNION SELECT api_keys.id FROM api_keys JOIN family ON maker_id = family.id
    )
    SELECT id FROM family
"""


class ApiKey(Table):
    """API key, stored as its digest.

    `events` and `models` are the limits of the key, as JSON lists; None for no limit. `maker` is
    the key that has made the key, and `successor` the key that has replaced the key. A session is
    a key that a browser holds; see `biont.accounts.sessions`.
    """

    id = AutoField()
    user = ForeignKeyField(User, on_delete="CASCADE")
    user_id: int
    name = TextField()
    digest = TextField(unique=True)
    prefix = TextField()
    scope = TextField()
    events = TextField(null=True)
    models = TextField(null=True)
    created_at = InstantField()
    expires_at = InstantField(null=True)
    revoked_at = InstantField(null=True)
    last_used_at = InstantField(null=True)
    maker_id: int | None
    maker = ForeignKeyField("self", null=True, on_delete="SET NULL")
    successor_id: int | None
    successor = ForeignKeyField("self", null=True, on_delete="SET NULL")
    warned_at = InstantField(null=True)
    is_session = BooleanField(default=False)

    class Meta:
        table_name = "api_keys"

    @property
    def narrowing(self) -> Narrowing:
        """The limits of the key within its scope."""
        return Narrowing(_load_texts(self.events), _load_texts(self.models))


def _load_texts(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(orjson.loads(text))


def find_key(digest: str) -> ApiKey | None:
    """Return the key of a digest, with its user."""
    query = ApiKey.select(ApiKey, User).join(User, on=ApiKey.user).where(ApiKey.digest == digest)
    return next(iter(query), None)


def read_narrowing(key_id: int) -> Narrowing:
    """Return the limits of a key; none for a key that is deleted."""
    record = ApiKey.get_or_none(ApiKey.id == key_id)
    return WHOLE if record is None else record.narrowing


def select_keys(user_id: int, limit: int, span: Span, is_session: bool | None) -> list[ApiKey]:
    """Return up to ``limit + 1`` keys of a user, in the order of the span.

    Args:
        user_id: the user.
        limit: the size of a page.
        span: the part of the list.
        is_session: True for sessions only, and False for all other keys.
    """
    query = ApiKey.select().where(ApiKey.user == user_id)
    if is_session is not None:
        query = query.where(ApiKey.is_session == is_session)
    return span.read(query, limit, key=ApiKey.id, time=ApiKey.created_at)


def get_key(key_id: int, user_id: int | None) -> ApiKey:
    """Return a key, of any user if `user_id` is None.

    Raises:
        NotFound: the key does not exist.
    """
    record = ApiKey.get_or_none(ApiKey.id == key_id)
    if record is None or user_id not in (None, record.user_id):
        raise NotFound(f"there is no key {key_id}")
    return record


def find_family(key_id: int) -> list[ApiKey]:
    """Return a key, the keys that it has made, the keys that these have made, and so on."""
    family = execute_sql(_SELECT_FAMILY, key_id).fetchall()
    return list(ApiKey.select().where(ApiKey.id.in_([number for (number,) in family])))


def save_usage(used: dict[int, datetime]) -> None:
    """Store the last use of keys."""
    for key_id, at in used.items():
        ApiKey.update(last_used_at=at).where(ApiKey.id == key_id).execute()
