"""Rights of keys: a key makes keys within its own limits only, and each act is an event.

A key that another key makes is a *child* of its maker: within the maker's scope and narrowing,
not longer valid than the maker, and revoked with the maker. So a key that gets into wrong hands
and is then revoked leaves no other key behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from biont.accounts.event_types import KEY_CREATED
from biont.accounts.key_records import ApiKey, get_key
from biont.accounts.principal import Actor, Narrowing, Scope
from biont.event import JsonObject
from biont.exceptions import Forbidden, InputProblem, InvalidInput
from biont.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class KeySecret:
    """The parts of a key's secret that are stored."""

    digest: str
    prefix: str


def get_acting_key(actor: Actor, now: datetime) -> ApiKey | None:
    """Return the key of an actor; None for the operator.

    Raises:
        Forbidden: the key is not valid any more.
    """
    if actor.key_id is None:
        return None
    record = get_key(actor.key_id, None)
    # Revoked since the request was let in.
    if record.revoked_at is not None or (
        record.expires_at is not None and record.expires_at <= now
    ):
        raise Forbidden("the API key of this request is no longer valid")
    return record


def find_authority(acting: ApiKey | None) -> ApiKey | None:
    """Return the key by whose right an acting key makes and rotates keys.

    A session acts for its maker, or its keys would end with it after hours. None for the operator,
    and for a session that has no maker.
    """
    return acting.maker if acting is not None and acting.is_session else acting


def check_expiry(expires_at: datetime | None, now: datetime) -> None:
    """Check that the end of a key lies in the future.

    Raises:
        InvalidInput: a right or the end exceeds the limit.
    """
    if expires_at is not None and expires_at <= now:
        raise InvalidInput(InputProblem("must lie in the future", "#/expires_at"))


def check_limits(maker: ApiKey, scope: Scope, narrowing: Narrowing) -> None:
    """Check that a key lies within the scope and narrowing of its maker.

    Raises:
        InvalidInput: a right or the end exceeds the limit.
    """
    excess = maker.narrowing.find_excess(narrowing)
    if maker.scope not in (Scope.FULL, scope):
        excess = "#/scope"
    if excess is not None:
        raise InvalidInput(
            InputProblem("must lie within the limits of the key that makes this key", excess)
        )


def check_end(expires_at: datetime | None, other: ApiKey) -> None:
    """Check that a key does not end later than another key.

    Raises:
        InvalidInput: the end lies beyond.
    """
    if other.expires_at is not None and (expires_at is None or expires_at > other.expires_at):
        raise InvalidInput(
            InputProblem(
                f"must not lie after {other.expires_at.isoformat()}, the end of key {other.id}, "
                "which has made the key, or makes this request",
                "#/expires_at",
            )
        )


def emit_key_created(tx: Transaction, record: ApiKey, actor: Actor) -> None:
    """Emit the event of a new key."""
    narrowing = record.narrowing
    payload: JsonObject = {
        "prefix": record.prefix,
        "scope": str(record.scope),
        "events": None if narrowing.events is None else [*narrowing.events],
        "models": None if narrowing.models is None else [*narrowing.models],
        "expires_at": None if record.expires_at is None else record.expires_at.isoformat(),
        "maker_id": record.maker_id,
        "is_session": bool(record.is_session),
    }
    emit_key_act(tx, KEY_CREATED.name, record, actor, payload)


def emit_key_act(
    tx: Transaction, event_type: str, record: ApiKey, actor: Actor, payload: JsonObject
) -> None:
    """Emit the event of an act on a key."""
    head: JsonObject = {"key_id": record.id, "name": record.name}
    tx.emit(event_type, record.user_id, {**head, **payload, **actor.describe()})
