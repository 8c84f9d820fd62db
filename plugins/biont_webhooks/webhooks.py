"""The webhooks of all users: who is subscribed to what, and the way to tell them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import orjson

from biont import Clock, Event, Service, Store, Transaction, Vault
from biont_webhooks.deliveries import insert_owed
from biont_webhooks.retries import Success, dump_retry
from biont_webhooks.sender import Sender
from biont_webhooks.subscribers import Subscriber, select_subscribers
from biont_webhooks.tables import Attempt, Delivery, Message, Webhook, WebhookStatus

_USERS_IN_MEMORY = 10_000


class Webhooks:
    """Knows who wants which event, and hands deliveries to the sender.

    Args:
        store: where webhooks are.
        vault: opens their secrets.
        clock: stamps what is owed.
        sender: makes the attempts.
    """

    def __init__(self, store: Store, vault: Vault, clock: Clock, sender: Sender) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._sender = sender
        self._subscribers: dict[int, list[Subscriber]] = {}
        self._generation = 0

    async def deliver(self, events: Sequence[Event]) -> None:
        """Record what the events are owed to whom; attempts follow in the background.

        Raises:
            StoreUnavailable: nothing was recorded.
        """
        owed: list[tuple[Event, list[int]]] = []
        creditors: dict[int, Subscriber] = {}
        for event in events:
            found = [
                subscriber
                for subscriber in await self._find_subscribers(event.user_id)
                if subscriber.wants(event)
            ]
            if found:
                owed.append((event, [subscriber.id for subscriber in found]))
                creditors.update((subscriber.id, subscriber) for subscriber in found)
        if owed:
            new = await self._store.write(insert_owed, owed, self._clock.now())
            self._sender.offer(list(creditors.values()), new)

    async def register(
        self, user_id: int, *, url: str, event_types: Sequence[str], secret: str
    ) -> Webhook:
        """Return a new webhook; it gets the events that come from now on."""
        webhook = await self._store.write(
            _insert,
            user_id,
            url=url,
            event_types=orjson.dumps(event_types).decode(),
            secret=self._vault.encrypt(secret),
            now=self._clock.now(),
        )
        self._forget(user_id)
        return webhook

    async def delete(self, user_id: int, webhook_id: int) -> None:
        """Delete a webhook with its deliveries; nothing more is attempted for it.

        Raises:
            NotFound: there is none of that number, or it is somebody else's.
        """
        await self._store.write(_delete, user_id, webhook_id)
        self._forget(user_id)
        self._sender.forget(webhook_id)

    async def _find_subscribers(self, user_id: int) -> list[Subscriber]:
        found = self._subscribers.get(user_id)
        if found is None:
            generation = self._generation
            found = await self._store.read(select_subscribers, user_id, self._vault)
            if len(self._subscribers) >= _USERS_IN_MEMORY:
                self._subscribers.clear()
            # Changed while it was read: what was read may be the state before.
            if generation == self._generation:
                self._subscribers[user_id] = found
        return found

    def _forget(self, user_id: int) -> None:
        self._generation += 1
        self._subscribers.pop(user_id, None)


WEBHOOKS = Service[Webhooks]("webhooks", provider="webhooks")


def select_deliveries(
    user_id: int, webhook_id: int, limit: int, before: int | None
) -> list[tuple[Delivery, list[Attempt]]]:
    """Return a page of a webhook's deliveries and one more, the newest first, with attempts."""
    webhook = Webhook.get_owned(user_id, webhook_id)
    query = Delivery.select(Delivery, Message).join(Message).where(Delivery.webhook == webhook)
    if before is not None:
        query = query.where(Delivery.id < before)
    deliveries = list(query.order_by(Delivery.id.desc()).limit(limit + 1))
    attempts: dict[int, list[Attempt]] = defaultdict(list)
    made = Attempt.select().where(Attempt.delivery.in_(deliveries)).order_by(Attempt.id)
    for attempt in made:
        attempts[attempt.delivery_id].append(attempt)
    return [(delivery, attempts[delivery.id]) for delivery in deliveries]


def _insert(
    _: Transaction, user_id: int, *, url: str, event_types: str, secret: str, now: datetime
) -> Webhook:
    return Webhook.create(
        user=user_id,
        url=url,
        event_types=event_types,
        secret=secret,
        success=Success.OK,
        retry=dump_retry("none"),
        status=WebhookStatus.ACTIVE,
        created_at=now,
        updated_at=now,
    )


def _delete(_: Transaction, user_id: int, webhook_id: int) -> None:
    Webhook.get_owned(user_id, webhook_id).delete_instance()
