"""Users: the owners of keys, notes, schedules and webhooks.

A user is enabled or disabled. All that a disabled user has is kept, and nothing of it acts: keys
are refused, schedules are not due, no delivery is attempted, missions and operations stand still.

    enabled --disable--> disabled --enable--> enabled
                            |--delete--> (deleted, with all rows of the user)

`Users.disabled` has the disabled users in memory, for the parts that act by themselves. Another
process may disable a user; the set is read again when the database was changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from biont.accounts.principal import OPERATOR, Actor
from biont.accounts.user_acts import (
    change_user,
    create_user,
    disable_user,
    enable_user,
    get_user,
    select_disabled,
    select_users,
    set_time_zone,
)
from biont.accounts.user_looks import UserLooks
from biont.accounts.user_records import Role, User
from biont.clock import Clock
from biont.exceptions import NotFound, StoreUnavailable
from biont.store.span import Span
from biont.store.store import Store

_log = structlog.get_logger("biont.accounts")


SwitchCallback = Callable[[int], None]
"""A function that gets the number of a user who was disabled or enabled."""


class Users:
    """Users of a workbench.

    Args:
        store: the store of the users.
        clock: stamps new users.

    Attributes:
        disabled: the numbers of the disabled users; replaced as a whole, and safe to read on any
            thread.
        looks: the looks of administrators at the rows of other users.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self.disabled: frozenset[int] = frozenset()
        self.looks = UserLooks(store, clock)
        self._store = store
        self._clock = clock
        self._on_change: list[Callable[[], None]] = []
        self._on_disable: list[SwitchCallback] = []
        self._on_enable: list[SwitchCallback] = []
        self._loading: asyncio.Task[None] | None = None
        self._is_loaded = False
        store.on_foreign_change(self._begin_load)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call a function on the event loop when the rights of a user have changed."""
        self._on_change.append(callback)

    def on_switch(
        self, *, disabled: SwitchCallback | None = None, enabled: SwitchCallback | None = None
    ) -> None:
        """Call a function on the event loop when a user was disabled, or enabled."""
        if disabled is not None:
            self._on_disable.append(disabled)
        if enabled is not None:
            self._on_enable.append(enabled)

    async def load(self) -> None:
        """Read the disabled users, and report the changes."""
        self._is_loaded = True
        self._switch_to(await self._store.read(select_disabled, self.disabled))

    async def create(
        self,
        name: str,
        time_zone: str | None = None,
        *,
        role: Role | None = None,
        actor: Actor = OPERATOR,
    ) -> User:
        """Return a new user.

        Args:
            name: the name, which no other user has.
            time_zone: the time zone of schedules that name none.
            role: the role; None for `Role.ADMIN` for the first user, and `Role.MEMBER` otherwise.
            actor: the source of the act.

        Raises:
            Conflict: another user has this name.
        """
        return await self._store.transact(
            create_user, name, time_zone, self._clock.now(), role, actor
        )

    async def get(self, user_id: int) -> User:
        """Return the user with the number `user_id`.

        Raises:
            NotFound: the user does not exist.
        """
        return await self._store.read(get_user, user_id)

    async def set_time_zone(self, user_id: int, time_zone: str | None) -> User:
        """Set the time zone of a user by its IANA name; None for that of the settings."""
        return await self._store.write(set_time_zone, user_id, time_zone)

    async def change(
        self,
        user_id: int,
        *,
        name: str | None = None,
        role: Role | None = None,
        actor: Actor = OPERATOR,
    ) -> User:
        """Change the name or the role of a user; None keeps the present value.

        Raises:
            NotFound: the user does not exist.
            Conflict: another user has the name, or the user is the last administrator.
        """
        user = await self._store.transact(change_user, user_id, name, role, actor)
        self._report_change()
        return user

    async def disable(self, user_id: int, *, actor: Actor = OPERATOR) -> User:
        """Disable a user: all that acts for the user stops, and all rows are kept.

        Raises:
            NotFound: the user does not exist.
            Conflict: the user is the last administrator.
        """
        user = await self._store.transact(disable_user, user_id, self._clock.now(), actor)
        self._switch_to(self.disabled | {user_id})
        return user

    async def enable(self, user_id: int, *, actor: Actor = OPERATOR) -> User:
        """Enable a user again.

        Raises:
            NotFound: the user does not exist.
        """
        user = await self._store.transact(enable_user, user_id, actor)
        self._switch_to(self.disabled - {user_id})
        return user

    async def list_page(self, limit: int, span: Span) -> list[User]:
        """Return up to ``limit + 1`` users, in the order of the span."""
        return await self._store.read(select_users, limit, span)

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

    def _report_change(self) -> None:
        for callback in self._on_change:
            callback()

    def _switch_to(self, disabled: frozenset[int]) -> None:
        before, self.disabled = self.disabled, disabled
        self._report_change()
        for user_id in disabled - before:
            for callback in self._on_disable:
                callback(user_id)
        for user_id in before - disabled:
            for callback in self._on_enable:
                callback(user_id)

    def _begin_load(self) -> None:
        if not self._is_loaded:
            return
        # After the last one, which may have read before the change.
        self._loading = asyncio.create_task(self._load_after(self._loading))

    async def _load_after(self, last: asyncio.Task[None] | None) -> None:
        if last is not None:
            await asyncio.wait([last])
        try:
            await self.load()
        except StoreUnavailable as error:
            _log.warning("the disabled users were not read", error=str(error))
