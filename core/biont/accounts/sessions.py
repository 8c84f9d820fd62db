"""Sessions: API keys that browsers hold.

A session is a child of the key that signed in: it has the scope and the narrowing of the key, ends
no later than the key, and is revoked with the key. A session without a key, by a one-time link,
has the scope full. Each use moves the end of a session ahead, never beyond the end of the key.

    begun --used--> begun, with a later end --unused, ended or revoked--> ended --30 days--> gone

A session acts for its maker: what it makes belongs to the family of the maker, and outlives the
session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from biont.accounts.key_acts import revoke_key
from biont.accounts.key_records import ApiKey, get_key
from biont.accounts.key_rights import KeySecret, check_expiry, emit_key_created, get_acting_key
from biont.accounts.principal import Actor, Scope
from biont.accounts.user_acts import get_user
from biont.accounts.user_rows import list_tables
from biont.exceptions import Forbidden, NotFound
from biont.store.database import execute_sql, format_instant
from biont.store.transaction import Transaction

MOST_SESSIONS = 100
"""The most sessions of a user that have not ended."""


@dataclass(frozen=True, slots=True)
class SessionDraft:
    """A session to begin.

    Attributes:
        user_id: the user.
        name: a name to recognise the session by.
        until: the end, unless the session is used or its maker ends earlier.
        used: the last uses of keys that are not stored yet.
    """

    user_id: int
    name: str
    until: datetime
    used: Mapping[int, datetime]


def begin_session(
    tx: Transaction, draft: SessionDraft, secret: KeySecret, now: datetime, actor: Actor
) -> ApiKey:
    """Begin a session; the acting key is its maker. End the session unused for longest if needed.

    Raises:
        NotFound: the user does not exist, or has no such key.
        Forbidden: the user is disabled, or the key is not valid any more or a session itself.
        InvalidInput: the end does not lie in the future.
    """
    maker = _find_maker(draft.user_id, actor, now)
    check_expiry(draft.until, now)
    for session in _list_surplus(draft, now):
        revoke_key(tx, session.id, None, now, actor)
    record = ApiKey.create(
        user=draft.user_id,
        name=draft.name,
        digest=secret.digest,
        prefix=secret.prefix,
        scope=Scope.FULL if maker is None else maker.scope,
        events=None if maker is None else maker.events,
        models=None if maker is None else maker.models,
        created_at=now,
        expires_at=_limit_end(draft.until, maker),
        maker=maker,
        is_session=True,
    )
    emit_key_created(tx, record, actor)
    return record


def extend_session(key_id: int, until: datetime, now: datetime) -> ApiKey:
    """Move the end of a session ahead; a session that has ended stays as it is.

    Raises:
        NotFound: there is no such session.
    """
    record = _get_session(key_id)
    end = _limit_end(until, record.maker)
    present = record.expires_at
    if record.revoked_at is None and present is not None and now < present < end:
        record.expires_at = end
        record.save(only=["expires_at"])
    return record


def end_session(tx: Transaction, key_id: int, now: datetime, actor: Actor) -> ApiKey:
    """End a session.

    Raises:
        NotFound: there is no such session.
    """
    return revoke_key(tx, _get_session(key_id).id, None, now, actor)


def find_old_sessions(before: datetime, limit: int) -> Sequence[int]:
    """Return sessions that ended before an instant, and that no row of another table names."""
    # The models of plugins count too: what a session began may go on with the rights of its key.
    named = " ".join(
        f'AND id NOT IN (SELECT key_id FROM "{table}" WHERE key_id IS NOT NULL)'  # noqa: S608  # names of tables, from our models
        for table in list_tables("key_id")
    )
    rows = execute_sql(
        "SELECT id FROM api_keys WHERE is_session"  # noqa: S608  # names of tables, as above
        f" AND coalesce(revoked_at, expires_at) < ? {named} LIMIT ?",
        format_instant(before),
        limit,
    )
    return [number for (number,) in rows.fetchall()]


def delete_sessions(ids: Sequence[int]) -> None:
    """Delete sessions that have ended, with the counts of their uses."""
    # Nothing begins to name a session that has ended.
    ApiKey.delete().where(ApiKey.id.in_(ids), ApiKey.is_session).execute()


def _find_maker(user_id: int, actor: Actor, now: datetime) -> ApiKey | None:
    """Return the key that signs a user in."""
    user = get_user(user_id)
    if user.disabled_at is not None:
        raise Forbidden(f"the user {user.name!r} is disabled; ask an administrator")
    if actor.key_id is None:
        return None
    get_key(actor.key_id, user_id)
    maker = get_acting_key(actor, now)
    if maker is not None and maker.is_session:
        raise Forbidden("a session cannot begin another session; sign in with an API key")
    return maker


def _limit_end(until: datetime, maker: ApiKey | None) -> datetime:
    if maker is None or maker.expires_at is None:
        return until
    return min(until, maker.expires_at)


def _list_surplus(draft: SessionDraft, now: datetime) -> list[ApiKey]:
    """Return the sessions to end, so that the user may have another one."""
    sessions = ApiKey.select().where(
        ApiKey.user == draft.user_id,
        ApiKey.is_session,
        ApiKey.revoked_at.is_null(),
        ApiKey.expires_at > now,
    )

    def find_last_use(session: ApiKey) -> datetime:
        return draft.used.get(session.id) or session.last_used_at or session.created_at

    ordered = sorted(sessions, key=find_last_use)
    return ordered[: max(0, len(ordered) - MOST_SESSIONS + 1)]


def _get_session(key_id: int) -> ApiKey:
    record = get_key(key_id, None)
    if not record.is_session:
        raise NotFound(f"there is no session {key_id}")
    return record
