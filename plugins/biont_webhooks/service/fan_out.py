"""Fan-out: creates the deliveries of events, in the transaction that makes the events durable.

An event and its deliveries are committed together, so a crash loses neither. A delivery for an
endpoint with room in memory is inserted as claimed and offered to the dispatcher after the
commit; other deliveries stay free in the table, and the dispatcher claims them when the
endpoint's queue drains.

Deliveries for congested endpoints are *deferred*, because a slow endpoint must not slow the
clients that emit: the handler `webhooks.create_deliveries` passes the event to
`Transaction.defer`. The journal then keeps the event, and the handler's position stays before
the event until `create_deferred_deliveries` has created the remaining deliveries, many events
in one write. After a crash in between, the handler gets the event again from its position;
deliveries that exist already stay as they are.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from itertools import product

from peewee import chunked

from biont import Event, Service, Store, Transaction
from biont.clock import Clock
from biont_webhooks.delivery.deliveries import insert_deliveries
from biont_webhooks.delivery.dispatcher import Dispatcher
from biont_webhooks.subscription.subscriber import Subscriber
from biont_webhooks.subscription.subscriber_cache import SubscriberCache

_EVENTS = 25
_WEBHOOKS = 5
"""The most deferred events and webhooks in one write: emitting clients wait for the write."""


class FanOut:
    """Creates deliveries for the webhooks that receive an event.

    Args:
        store: the store with the deliveries.
        clock: provides the creation time of deliveries.
        subscribers: the active webhooks of all users.
        dispatcher: makes the attempts.
    """

    def __init__(
        self, store: Store, clock: Clock, subscribers: SubscriberCache, dispatcher: Dispatcher
    ) -> None:
        self._store = store
        self._clock = clock
        self._subscribers = subscribers
        self._dispatcher = dispatcher

    def create_deliveries(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Create the deliveries of new events; defer events for congested endpoints."""
        recipients: list[tuple[Event, list[int]]] = []
        chosen: dict[int, Subscriber] = {}
        by_user = self._subscribers.find_subscribers(tx, events)
        for event in events:
            wanting = [webhook for webhook in by_user[event.user_id] if webhook.wants(event)]
            if not wanting:
                continue
            prompt = {
                webhook.id: webhook
                for webhook in wanting
                if not self._dispatcher.is_congested(webhook.id)
            }
            if len(prompt) < len(wanting):
                tx.defer(event)
            if prompt:
                recipients.append((event, list(prompt)))
                chosen |= prompt
        if recipients:
            self._insert(tx, chosen, recipients)

    async def create_deferred_deliveries(self, events: Sequence[Event]) -> None:
        """Create the deliveries that `create_deliveries` deferred, in short writes.

        Raises:
            StoreUnavailable: some deliveries were not created; the caller repeats the call.
        """
        webhook_ids = await self._store.transact(self._find_recipients, events)
        for some_events, some_ids in product(
            chunked(events, _EVENTS), chunked(webhook_ids, _WEBHOOKS)
        ):
            await self._store.transact(self._create_for, some_ids, some_events)

    def _find_recipients(self, tx: Transaction, events: Sequence[Event]) -> list[int]:
        by_user = self._subscribers.find_subscribers(tx, events)
        return [
            webhook.id
            for webhooks in by_user.values()
            for webhook in webhooks
            if any(map(webhook.receives, events))
        ]

    def _create_for(
        self, tx: Transaction, webhook_ids: Collection[int], events: Sequence[Event]
    ) -> None:
        """Create the missing deliveries of `events` for some webhooks."""
        # Looked up again: a webhook may have been changed or paused after it was found.
        by_user = self._subscribers.find_subscribers(tx, events)
        chosen = {
            webhook.id: webhook
            for webhooks in by_user.values()
            for webhook in webhooks
            if webhook.id in webhook_ids
        }
        recipients = [
            (event, wanting)
            for event in events
            if (wanting := [number for number, each in chosen.items() if each.receives(event)])
        ]
        self._insert(tx, chosen, recipients)

    def _insert(
        self,
        tx: Transaction,
        webhooks: Mapping[int, Subscriber],
        recipients: Sequence[tuple[Event, Sequence[int]]],
    ) -> None:
        claimed_for = {number for number in webhooks if self._dispatcher.has_capacity(number)}
        created = insert_deliveries(recipients, self._clock.now(), claimed_for=claimed_for)
        offered = [
            (webhooks[number], deliveries)
            for number, deliveries in created.items()
            if number in claimed_for
        ]
        tx.after_commit(functools.partial(self._dispatcher.offer, offered))
        # The other deliveries wait in the table, so the dispatcher has to read the table.
        for number in created.keys() - claimed_for:
            tx.after_commit(functools.partial(self._dispatcher.refresh, webhooks[number]))


FAN_OUT = Service[FanOut]("webhooks.fan_out", provider="webhooks")
