"""Users: the owners of keys, notes, schedules and webhooks."""

from __future__ import annotations

from datetime import datetime

from peewee import AutoField, IntegrityError, TextField

from biont.accounts.event_types import USER_CREATED
from biont.accounts.principal import OPERATOR, Actor
from biont.clock import Clock
from biont.exceptions import Conflict, NotFound
from biont.store.database import InstantField, Table
from biont.store.store import Store
from biont.store.transaction import Transaction


class User(Table):
    """User: owner of keys, notes, schedules and webhooks.

    Attributes:
        time_zone: the IANA name of the time zone for schedules that name none; None for the
            time zone of the settings.
    """

    id = AutoField()
    name = TextField(unique=True)
    time_zone = TextField(null=True)
    created_at = InstantField()

    class Meta:
        table_name = "users"


class Users:
    """Users of a workbench.

    Args:
        store: the store of the users.
        clock: stamps new users.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def create(
        self, name: str, time_zone: str | None = None, *, actor: Actor = OPERATOR
    ) -> User:
        """Return a new user.

        Raises:
            Conflict: another user has this name.
        """
        return await self._store.transact(_create_user, name, time_zone, self._clock.now(), actor)

    async def get(self, user_id: int) -> User:
        """Return the user with the number `user_id`."""
        return await self._store.read(User.get_by_id, user_id)

    async def set_time_zone(self, user_id: int, time_zone: str | None) -> User:
        """Set the time zone of a user by its IANA name; None for that of the settings."""
        return await self._store.write(_set_time_zone, user_id, time_zone)

    async def list_all(self) -> list[User]:
        """Return all users, oldest first."""
        return await self._store.read(lambda: list(User.select().order_by(User.id)))

    async def find(self, name: str) -> User:
        """Return the user with the name `name`.

        Raises:
            NotFound: no user has this name.
        """
        user = await self._store.read(lambda: User.get_or_none(User.name == name))
        if user is None:
            raise NotFound(f"there is no user {name!r}; create one with `biont users create`")
        return user


def _create_user(
    tx: Transaction, name: str, time_zone: str | None, now: datetime, actor: Actor
) -> User:
    try:
        user = User.create(name=name, time_zone=time_zone, created_at=now)
    except IntegrityError as error:
        raise Conflict(f"the user {name!r} already exists; choose another name") from error
    payload = {"user_id": user.id, "name": user.name, **actor.describe()}
    tx.emit(USER_CREATED.name, user.id, payload)
    return user


def _set_time_zone(user_id: int, time_zone: str | None) -> User:
    user = User.get_by_id(user_id)
    user.time_zone = time_zone
    user.save()
    return user
