"""Subscriber cache: the active webhooks of each user, in memory.

Used on the writer thread only, the one thread that changes webhooks. So a cached entry is
the present state, as long as each write that changes a webhook calls `invalidate`.

An entry that was read inside a transaction is *unconfirmed* until the commit: the transaction
may hold a change of a webhook that a rollback undoes. The next lookup drops the entries of
transactions that did not commit.

The webhooks of a disabled user are read each time, because a deletion of the user deletes them in
the tables alone, and events of the user may still wait for deliveries.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from biont import Event, Store, Transaction
from biont.accounts import Users
from biont.security import Vault
from biont_webhooks.subscription.subscriber import Subscriber, select_subscribers

_USERS_IN_MEMORY = 10_000


class SubscriberCache:
    """Active webhooks by user.

    Args:
        store: the store; a change by another process empties the cache.
        vault: decrypts the secrets of webhooks.
        users: tells the disabled users.
    """

    def __init__(self, store: Store, vault: Vault, users: Users) -> None:
        self._vault = vault
        self._users = users
        self._known: dict[int, list[Subscriber]] = {}
        self._unconfirmed: set[int] = set()
        store.on_foreign_change(self._known.clear)

    def invalidate(self, user_id: int) -> None:
        """Drop a user's entry; each write that changes a webhook of the user must call this."""
        self._known.pop(user_id, None)

    def find_subscribers(
        self, tx: Transaction, events: Sequence[Event]
    ) -> dict[int, list[Subscriber]]:
        """Return the active webhooks of the users of `events`, by user."""
        for user_id in self._unconfirmed:
            self.invalidate(user_id)
        self._unconfirmed.clear()
        return {user_id: self._look_up(tx, user_id) for user_id in {e.user_id for e in events}}

    def _look_up(self, tx: Transaction, user_id: int) -> list[Subscriber]:
        if user_id in self._users.disabled:
            self.invalidate(user_id)
        found = self._known.get(user_id)
        if found is None:
            found = select_subscribers(user_id, self._vault)
            if len(self._known) >= _USERS_IN_MEMORY:
                self._known.clear()
            self._known[user_id] = found
            self._unconfirmed.add(user_id)
            tx.after_commit(functools.partial(self._unconfirmed.discard, user_id))
        return found
