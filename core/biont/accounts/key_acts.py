"""Acts on API keys, inside transactions: each is an event with the acting key and its address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from biont.accounts.event_types import (
    KEY_EXPIRING,
    KEY_RENAMED,
    KEY_REVOKED,
)
from biont.accounts.key_records import ApiKey, find_family, get_key
from biont.accounts.key_rights import (
    KeySecret,
    check_end,
    check_expiry,
    check_limits,
    emit_key_act,
    emit_key_created,
    find_authority,
    get_acting_key,
)
from biont.accounts.principal import Actor, Narrowing, Scope
from biont.event import JsonObject
from biont.exceptions import Conflict
from biont.store.database import dump_json
from biont.store.transaction import Transaction

_WARNINGS = 500
"""The most warnings in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDraft:
    """A key to create.

    Attributes:
        user_id: the user of the key.
        name: the name.
        scope: the routes that the key may use.
        narrowing: the limits within the scope.
        expires_at: the instant from which the key is refused; None for never.
    """

    user_id: int
    name: str
    scope: Scope
    narrowing: Narrowing
    expires_at: datetime | None


def create_key(
    tx: Transaction, draft: KeyDraft, secret: KeySecret, now: datetime, actor: Actor
) -> ApiKey:
    """Create a key; its maker is the acting key, or the maker of an acting session.

    Raises:
        InvalidInput: the key would have rights that its maker has not.
        Forbidden: the maker is not valid any more.
    """
    check_expiry(draft.expires_at, now)
    acting = get_acting_key(actor, now)
    maker = find_authority(acting)
    narrowing, expires_at = draft.narrowing, draft.expires_at
    if acting is not None:
        narrowing = acting.narrowing.inherit(narrowing)
        check_limits(acting, draft.scope, narrowing)
    if maker is not None:
        expires_at = expires_at or maker.expires_at
        check_end(expires_at, maker)
    record = ApiKey.create(
        user=draft.user_id,
        name=draft.name,
        digest=secret.digest,
        prefix=secret.prefix,
        scope=draft.scope,
        events=None if narrowing.events is None else dump_json(narrowing.events),
        models=None if narrowing.models is None else dump_json(narrowing.models),
        created_at=now,
        expires_at=expires_at,
        # Only within a user: an administrator's key takes no other user's keys with it.
        maker=maker if maker is not None and maker.user_id == draft.user_id else None,
    )
    emit_key_created(tx, record, actor)
    return record


def rename_key(
    tx: Transaction, key_id: int, user_id: int | None, name: str, actor: Actor
) -> ApiKey:
    """Rename a key, of any user if `user_id` is None.

    Raises:
        NotFound: the user has no such key.
        Conflict: the key is a session.
    """
    record = get_key(key_id, user_id)
    if record.is_session:
        raise Conflict(
            f"the key {key_id} is a session, which keeps its name; end it, or rename another key"
        )
    previous, record.name = record.name, name
    if previous != name:
        record.save(only=["name"])
        payload = {"name": name, "previous_name": previous}
        emit_key_act(tx, KEY_RENAMED.name, record, actor, payload)
    return record


def revoke_key(
    tx: Transaction, key_id: int, user_id: int | None, now: datetime, actor: Actor
) -> ApiKey:
    """Revoke a key, and all keys that it has made.

    Raises:
        NotFound: the key does not exist, or belongs to another user.
    """
    record = get_key(key_id, user_id)
    for each in find_family(record.id):
        if each.revoked_at is None:
            each.revoked_at = now
            each.save(only=["revoked_at"])
            because_of = None if each.id == record.id else record.id
            emit_key_act(tx, KEY_REVOKED.name, each, actor, {"because_of": because_of})
    return get_key(key_id, user_id)


def warn_of_expiry(tx: Transaction, now: datetime, until: datetime) -> bool:
    """Emit an event for each key that ends before `until`, once; return whether there are more."""
    found = list(
        ApiKey.select()
        .where(
            ApiKey.expires_at.is_null(False),
            ApiKey.expires_at > now,
            ApiKey.expires_at <= until,
            ApiKey.warned_at.is_null(),
            ApiKey.revoked_at.is_null(),
            # Its user has replaced the key already.
            ApiKey.successor.is_null(),
            # Sessions end every day.
            ~ApiKey.is_session,
        )
        .limit(_WARNINGS)
    )
    for record in found:
        record.warned_at = now
        record.save(only=["warned_at"])
        payload: JsonObject = {
            "key_id": record.id,
            "name": record.name,
            "prefix": record.prefix,
            "expires_at": None if record.expires_at is None else record.expires_at.isoformat(),
        }
        tx.emit(KEY_EXPIRING.name, record.user_id, payload)
    return len(found) == _WARNINGS
