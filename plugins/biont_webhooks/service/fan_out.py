"""Who wants which event, at the moment an event becomes durable."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from biont import Event, Store, Transaction
from biont.clock import Clock
from biont.security import Vault
from biont_webhooks.delivery.deliveries import insert_deliveries
from biont_webhooks.subscription.subscriber import Subscriber, select_subscribers

if TYPE_CHECKING:
    from biont_webhooks.delivery.dispatcher import Dispatcher

_USERS_IN_MEMORY = 10_000


class FanOut:
    """Owes events to webhooks, in the transaction that makes the events durable.

    It runs on the writing thread, the only one that changes webhooks: what it reads
    there is the present state.

    Args:
        store: where webhooks are.
        vault: opens their secrets.
        clock: stamps what is owed.
    """

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock
        self._known: dict[int, list[Subscriber]] = {}
        self._unconfirmed: set[int] = set()
        store.on_foreign_change(self._known.clear)

    def forget(self, user_id: int) -> None:
        """Look a user's webhooks up again; to be called in the write that changes one."""
        self._known.pop(user_id, None)

    def owe(self, tx: Transaction, events: Sequence[Event], sender: Dispatcher) -> None:
        """Record what new events are owed to whom; `sender` gets it once that is durable.

        What is owed to a webhook that cannot keep up is put off, to be recorded together
        with that of later events: nobody should wait for it.
        """
        self._drop_unconfirmed()
        owed: list[tuple[Event, list[int]]] = []
        creditors: dict[int, Subscriber] = {}
        for event in events:
            found = [one for one in self._find(tx, event.user_id) if one.wants(event)]
            if not found:
                continue
            prompt = {one.id: one for one in found if not sender.is_congested(one.id)}
            if len(prompt) < len(found):
                tx.defer(event)
            if prompt:
                owed.append((event, list(prompt)))
                creditors |= prompt
        if owed:
            self._record(tx, creditors, owed, sender)

    def find_creditors(self, tx: Transaction, events: Sequence[Event]) -> list[int]:
        """Return the webhooks that want any of `events`."""
        return [one.id for one in self._find_all(tx, events) if any(map(one.is_owed, events))]

    def owe_to(
        self,
        tx: Transaction,
        webhook_ids: Collection[int],
        events: Sequence[Event],
        sender: Dispatcher,
    ) -> None:
        """Record what events are owed to some webhooks; what is recorded stays as it is.

        Each is taken as it is now, not as it was when somebody chose it.
        """
        chosen = set(webhook_ids)
        creditors = {one.id: one for one in self._find_all(tx, events) if one.id in chosen}
        owed = [
            (event, [number for number, one in creditors.items() if one.is_owed(event)])
            for event in events
        ]
        self._record(tx, creditors, owed, sender)

    def _find_all(self, tx: Transaction, events: Sequence[Event]) -> list[Subscriber]:
        """Return the webhooks of all whom `events` concern."""
        self._drop_unconfirmed()
        user_ids = {event.user_id for event in events}
        return [one for user_id in user_ids for one in self._find(tx, user_id)]

    def _record(
        self,
        tx: Transaction,
        creditors: Mapping[int, Subscriber],
        owed: Sequence[tuple[Event, Sequence[int]]],
        sender: Dispatcher,
    ) -> None:
        taken = {number for number in creditors if sender.has_room(number)}
        new = insert_deliveries(owed, self._clock.now(), taken=taken)
        offered = [(creditors[number], new[number]) for number in new if number in taken]
        tx.after_commit(functools.partial(sender.offer, offered))
        for number in new.keys() - taken:
            tx.after_commit(functools.partial(sender.refresh, creditors[number]))

    def _drop_unconfirmed(self) -> None:
        """Forget what was looked up in a transaction that may have been undone."""
        for user_id in self._unconfirmed:
            self.forget(user_id)
        self._unconfirmed.clear()

    def _find(self, tx: Transaction, user_id: int) -> list[Subscriber]:
        found = self._known.get(user_id)
        if found is None:
            found = select_subscribers(user_id, self._vault)
            if len(self._known) >= _USERS_IN_MEMORY:
                self._known.clear()
            self._known[user_id] = found
            self._unconfirmed.add(user_id)
            tx.after_commit(functools.partial(self._unconfirmed.discard, user_id))
        return found
