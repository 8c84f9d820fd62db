"""Rotation of keys, with an overlap in which the old and the new secret are valid.

A rotation makes a *successor*, with a new secret and the same rights. The successor takes the
maker and the children over; the old key ends after the overlap. A key may rotate only what it may
have made itself: the answer of a rotation has the secret of the successor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from biont.accounts.event_types import KEY_ROTATED
from biont.accounts.key_records import ApiKey, find_family, get_key
from biont.accounts.key_rights import (
    KeySecret,
    check_end,
    check_expiry,
    emit_key_act,
    emit_key_created,
    find_authority,
    get_acting_key,
)
from biont.accounts.principal import Actor, Scope
from biont.event import JsonObject
from biont.exceptions import Conflict, Forbidden
from biont.store.transaction import Transaction

LONGEST_OVERLAP = timedelta(days=30)

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_overlap(text: str) -> timedelta:
    """Return the duration of a text like ``24h``.

    Raises:
        ValueError: the text is no duration, or the duration is too long.
    """
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if found is None:
        raise ValueError("must be a number of seconds, or a number with a unit: 90s, 5m, 24h, 7d")
    overlap = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if overlap > LONGEST_OVERLAP:
        raise ValueError(f"must be at most {LONGEST_OVERLAP.days} days")
    return overlap


@dataclass(frozen=True, slots=True)
class Rotation:
    """A key to rotate.

    Attributes:
        key_id: the key.
        user_id: the required user; None accepts a key of any user.
        overlap: the time for which the old key remains valid.
        expires_at: the end of the new key; None for the end of the old key.
    """

    key_id: int
    user_id: int | None
    overlap: timedelta
    expires_at: datetime | None


def rotate_key(
    tx: Transaction, rotation: Rotation, secret: KeySecret, now: datetime, actor: Actor
) -> ApiKey:
    """Create the successor of a key, and let the key end after the overlap.

    Raises:
        NotFound: the key does not exist.
        Conflict: the key is not valid any more, has a successor, or is a session.
        Forbidden: the acting key could not have made the key.
        InvalidInput: the successor would end later than the acting key or the maker.
    """
    record = get_key(rotation.key_id, rotation.user_id)
    _check_rotatable(record, now)
    check_expiry(rotation.expires_at, now)
    acting = find_authority(get_acting_key(actor, now))
    expires_at = rotation.expires_at or record.expires_at
    if acting is not None:
        _check_family(acting, record)
        check_end(expires_at, acting)
    if record.maker is not None:
        check_end(expires_at, record.maker)
    ends_at = now + rotation.overlap
    if record.expires_at is not None:
        ends_at = min(ends_at, record.expires_at)
    successor = ApiKey.create(
        user=record.user_id,
        name=record.name,
        digest=secret.digest,
        prefix=secret.prefix,
        scope=record.scope,
        events=record.events,
        models=record.models,
        created_at=now,
        expires_at=expires_at,
        maker=record.maker_id,
    )
    ApiKey.update(maker=successor).where(ApiKey.maker == record).execute()
    if expires_at is not None:
        _shorten_family(successor, expires_at)
    record.successor = successor.id
    record.expires_at = ends_at
    record.save(only=["successor", "expires_at"])
    payload: JsonObject = {"successor_id": successor.id, "ends_at": ends_at.isoformat()}
    emit_key_act(tx, KEY_ROTATED.name, record, actor, payload)
    emit_key_created(tx, successor, actor)
    return successor


def _check_rotatable(record: ApiKey, now: datetime) -> None:
    if record.is_session:
        raise Conflict(
            f"the key {record.id} is a session, which cannot be rotated; "
            "end it, and sign in again with an API key"
        )
    if record.successor_id is not None:
        raise Conflict(f"the key {record.id} was rotated; rotate the key {record.successor_id}")
    if record.revoked_at is not None:
        raise Conflict(f"the key {record.id} was revoked; create a new one")
    if record.expires_at is not None and record.expires_at <= now:
        raise Conflict(f"the key {record.id} has expired; create a new one")


def _check_family(acting: ApiKey, record: ApiKey) -> None:
    """Check that the acting key could have made a key."""
    if any(each.id == record.id for each in find_family(acting.id)):
        return
    # A key without a maker may rotate strangers too, if its own rights are not smaller.
    is_root = acting.maker_id is None and acting.scope == Scope.FULL
    if not is_root or acting.narrowing.find_excess(record.narrowing) is not None:
        raise Forbidden(
            f"the key {record.id} may have rights that this key has not; "
            "rotate it with itself, or with the key that has made it"
        )


def _shorten_family(record: ApiKey, end: datetime) -> None:
    """Let no child of a key end later than the key."""
    children = [each.id for each in find_family(record.id) if each.id != record.id]
    ApiKey.update(expires_at=end).where(
        ApiKey.id.in_(children), ApiKey.expires_at.is_null() | (ApiKey.expires_at > end)
    ).execute()
