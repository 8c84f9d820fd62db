"""Looks of administrators at the rows of other users: each is an event of the user looked at.

A page makes many requests, so all requests of a key for a user are one look for ten minutes. The
event is stored before the rows are read: if the store is not available, the request is refused.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from biont.accounts.event_types import USER_VIEWED
from biont.accounts.principal import Actor, Principal
from biont.accounts.user_acts import emit_user_act, get_user
from biont.clock import Clock
from biont.store.store import Store
from biont.store.transaction import Transaction

_ONE_LOOK = timedelta(minutes=10)
_PATH_LENGTH = 200


class UserLooks:
    """Looks of administrators at the rows of other users.

    Args:
        store: the store of the users and events.
        clock: tells when a look is a new one.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        # The begin of each look, by the key and the user looked at.
        self._begun: dict[tuple[int, int], datetime] = {}
        self._lock = asyncio.Lock()

    async def begin(self, viewer: Principal, user_id: int, path: str, address: str) -> Principal:
        """Return the principal of a request that reads the rows of another user.

        Args:
            viewer: the administrator and the key.
            user_id: the user whose rows are read.
            path: the path of the request.
            address: the address of the client.

        Raises:
            NotFound: the user does not exist.
        """
        await self._store.read(get_user, user_id)
        look, now = (viewer.key_id, user_id), self._clock.now()
        # One at a time: the requests of a page come together, and only the first is an event.
        async with self._lock:
            self._begun = {
                each: begun
                for each, begun in self._begun.items()
                # A clock that was set back begins new looks.
                if timedelta(0) <= now - begun < _ONE_LOOK
            }
            if look not in self._begun:
                await self._store.transact(
                    _emit_look, viewer.user_id, user_id, path, Actor(viewer.key_id, address)
                )
                self._begun[look] = now
        return replace(viewer, user_id=user_id, viewer_id=viewer.user_id)


def _emit_look(tx: Transaction, viewer_id: int, user_id: int, path: str, actor: Actor) -> None:
    viewer = get_user(viewer_id)
    emit_user_act(
        tx,
        USER_VIEWED.name,
        get_user(user_id),
        actor,
        {"viewer_id": viewer.id, "viewer": viewer.name, "path": path[:_PATH_LENGTH]},
    )
