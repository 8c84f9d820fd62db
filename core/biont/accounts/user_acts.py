"""Acts on users, inside transactions: each is an event with the acting key and its address."""

from __future__ import annotations

from datetime import datetime

from peewee import IntegrityError

from biont.accounts.event_types import (
    USER_CHANGED,
    USER_CREATED,
    USER_DELETED,
    USER_DISABLED,
    USER_ENABLED,
)
from biont.accounts.principal import Actor
from biont.accounts.user_records import Role, User
from biont.accounts.user_rows import delete_user
from biont.event import JsonObject
from biont.exceptions import Conflict, NotFound
from biont.store.span import Span
from biont.store.transaction import Transaction


def create_user(
    tx: Transaction,
    name: str,
    time_zone: str | None,
    now: datetime,
    role: Role | None,
    actor: Actor,
) -> User:
    """Insert a user; the first user is an administrator.

    Raises:
        Conflict: another user has this name.
    """
    if role is None:
        role = Role.MEMBER if User.select().exists() else Role.ADMIN
    try:
        user = User.create(name=name, time_zone=time_zone, created_at=now, role=role)
    except IntegrityError as error:
        raise Conflict(f"the user {name!r} already exists; choose another name") from error
    emit_user_act(tx, USER_CREATED.name, user, actor, {"role": str(role)})
    return user


def get_user(user_id: int) -> User:
    """Return a user.

    Raises:
        NotFound: the user does not exist.
    """
    user = User.get_or_none(User.id == user_id)
    if user is None:
        raise NotFound(f"there is no user {user_id}")
    return user


def has_user(user_id: int) -> bool:
    """Return whether a user exists."""
    return bool(User.select().where(User.id == user_id).exists())


def check_administrators(user: User) -> None:
    """Check that another enabled user is an administrator, if the user is one.

    Raises:
        Conflict: the user is the last administrator.
    """
    others = User.select().where(
        User.role == Role.ADMIN, User.disabled_at.is_null(), User.id != user.id
    )
    if user.role == Role.ADMIN and user.disabled_at is None and not others.exists():
        raise Conflict(
            f"{user.name!r} is the last administrator; make another user an administrator first"
        )


def emit_user_act(
    tx: Transaction, event_type: str, user: User, actor: Actor, payload: JsonObject
) -> None:
    """Emit the event of an act on a user."""
    head: JsonObject = {"user_id": user.id, "name": user.name}
    tx.emit(event_type, user.id, {**head, **payload, **actor.describe()})


def change_user(
    tx: Transaction, user_id: int, name: str | None, role: Role | None, actor: Actor
) -> User:
    """Change the name or the role of a user; None keeps the present value."""
    user = get_user(user_id)
    before = {"previous_name": user.name, "previous_role": str(user.role)}
    if role is not None and role != user.role:
        check_administrators(user)
        user.role = role
    user.name = name or user.name
    if (user.name, user.role) == (before["previous_name"], before["previous_role"]):
        return user
    try:
        user.save(only=["name", "role"])
    except IntegrityError as error:
        raise Conflict(f"the user {name!r} already exists; choose another name") from error
    emit_user_act(tx, USER_CHANGED.name, user, actor, {"role": str(user.role), **before})
    return user


def disable_user(tx: Transaction, user_id: int, now: datetime, actor: Actor) -> User:
    """Disable a user."""
    user = get_user(user_id)
    if user.disabled_at is None:
        check_administrators(user)
        user.disabled_at = now
        user.save(only=["disabled_at"])
        emit_user_act(tx, USER_DISABLED.name, user, actor, {})
    return user


def enable_user(tx: Transaction, user_id: int, actor: Actor) -> User:
    """Enable a user."""
    user = get_user(user_id)
    if user.disabled_at is not None:
        user.disabled_at = None
        user.save(only=["disabled_at"])
        emit_user_act(tx, USER_ENABLED.name, user, actor, {})
    return user


def select_disabled(before: frozenset[int]) -> frozenset[int]:
    """Return the disabled users, and those of `before` who were deleted."""
    disabled = User.select(User.id).where(User.disabled_at.is_null(False))
    present = {user.id for user in User.select(User.id).where(User.id.in_(before))}
    # Nothing may begin to act for a deleted user.
    return frozenset(user.id for user in disabled) | (before - present)


def select_users(limit: int, span: Span) -> list[User]:
    """Return up to ``limit + 1`` users, in the order of the span."""
    return span.read(User.select(), limit, key=User.id, time=User.created_at)


def set_time_zone(user_id: int, time_zone: str | None) -> User:
    """Set the time zone of a user."""
    user = User.get_by_id(user_id)
    user.time_zone = time_zone
    user.save()
    return user


def delete_some(tx: Transaction, user_id: int, limit: int, actor: Actor, log_user_id: int) -> int:
    """Delete some rows of a user, and with the last ones the user; return the number of rows.

    Args:
        tx: the transaction.
        user_id: the user, who is disabled.
        limit: the most rows to delete.
        actor: the source of the act.
        log_user_id: the user in whose log the event of the deletion is.
    """
    user = get_user(user_id)
    deleted = delete_user(user_id, limit)
    if not deleted:
        payload = {"user_id": user.id, "name": user.name, **actor.describe()}
        tx.emit(USER_DELETED.name, log_user_id, payload)
    return deleted
