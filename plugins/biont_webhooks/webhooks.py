"""The webhooks of all users: who is subscribed to what, and the way to tell them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import orjson

from biont import Clock, Event, Service, Store, Transaction, Vault
from biont_webhooks.retries import Success, dump_retry
from biont_webhooks.sender import Sender
from biont_webhooks.subscriptions import Subscriptions
from biont_webhooks.tables import Attempt, Delivery, Message, Webhook, WebhookStatus


class Webhooks:
    """Knows who wants which event, and hands deliveries to the sender.

    Args:
        store: where webhooks are.
        vault: opens their secrets.
        clock: stamps what is owed.
        subscriptions: knows who wants which event.
        sender: makes the attempts.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        subscriptions: Subscriptions,
        sender: Sender,
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._subscriptions = subscriptions
        self._sender = sender

    def owe(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Record what the events are owed to whom; attempts follow once that is durable."""
        self._subscriptions.owe(tx, events, self._sender)

    async def register(
        self, user_id: int, *, url: str, event_types: Sequence[str], secret: str
    ) -> Webhook:
        """Return a new webhook; it gets the events that come from now on."""
        return await self._store.write(
            self._insert,
            user_id,
            url=url,
            event_types=orjson.dumps(event_types).decode(),
            secret=self._vault.encrypt(secret),
            now=self._clock.now(),
        )

    async def delete(self, user_id: int, webhook_id: int) -> None:
        """Delete a webhook with its deliveries; nothing more is attempted for it.

        Raises:
            NotFound: there is none of that number, or it is somebody else's.
        """
        await self._store.write(self._delete, user_id, webhook_id)

    def _insert(
        self,
        _: Transaction,
        user_id: int,
        *,
        url: str,
        event_types: str,
        secret: str,
        now: datetime,
    ) -> Webhook:
        self._subscriptions.forget(user_id)
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

    def _delete(self, tx: Transaction, user_id: int, webhook_id: int) -> None:
        Webhook.get_owned(user_id, webhook_id).delete_instance()
        self._subscriptions.forget(user_id)
        tx.after_commit(lambda: self._sender.forget(webhook_id))


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
