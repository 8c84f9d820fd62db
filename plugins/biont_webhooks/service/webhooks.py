"""The webhooks of all users: who is subscribed to what, and the way to tell them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import product
from typing import Concatenate, ParamSpec, TypeVar

from peewee import chunked, fn

from biont import Event, Service, Store, Transaction
from biont.clock import Clock
from biont.exceptions import Conflict
from biont.security import Vault
from biont_webhooks.delivery.dispatcher import Dispatcher
from biont_webhooks.service.fan_out import FanOut
from biont_webhooks.service.redelivery import delete_some
from biont_webhooks.subscription.subscriber import to_subscriber
from biont_webhooks.tables import Webhook, WebhookStatus

P = ParamSpec("P")
T = TypeVar("T")

_EVENTS = 25
_CREDITORS = 5
"""How many events that were put off are owed to how many webhooks in one write."""


class Webhooks:
    """Keeps webhooks, and tells the rest of a change in the write that makes it.

    Args:
        store: where they are.
        vault: keeps their secrets.
        clock: stamps their changes.
        subscriptions: knows who wants which event.
        sender: makes the attempts.
        rotation_overlap: how long a secret that was replaced signs along, in seconds.
    """

    def __init__(  # the parts it is made of
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        subscriptions: FanOut,
        sender: Dispatcher,
        *,
        rotation_overlap: float,
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._subscriptions = subscriptions
        self._sender = sender
        self._rotation_overlap = timedelta(seconds=rotation_overlap)
        # Only the writing thread uses it.
        self._last_id = 0

    def owe(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Record what the events are owed to whom; attempts follow once that is durable."""
        self._subscriptions.owe(tx, events, self._sender)

    async def owe_later(self, events: Sequence[Event]) -> None:
        """Record what was put off, in writes that are short for all who wait behind them.

        Raises:
            StoreUnavailable: some of it was not recorded.
        """
        store, subscriptions = self._store, self._subscriptions
        creditors = await store.transact(subscriptions.find_creditors, events)
        for some, few in product(chunked(events, _EVENTS), chunked(creditors, _CREDITORS)):
            await store.transact(subscriptions.owe_to, few, some, self._sender)

    async def register(self, user_id: int, secret: str, columns: Mapping[str, object]) -> Webhook:
        """Return a new webhook; it gets the events that come from now on."""
        now = self._clock.now()
        return await self._store.write(
            self._insert,
            {
                **columns,
                "user": user_id,
                "secret": self._vault.encrypt(secret),
                "status": WebhookStatus.ACTIVE,
                "created_at": now,
                "updated_at": now,
            },
        )

    async def change(
        self, user_id: int, webhook_id: int, columns: Mapping[str, object]
    ) -> Webhook:
        """Change some columns of a webhook; return it as it is now.

        Raises:
            NotFound: there is none of that number, or it is somebody else's.
        """
        return await self._store.transact(self._change, user_id, webhook_id, lambda _: columns)

    async def pause(self, user_id: int, webhook_id: int) -> Webhook:
        """Let nothing become owed to a webhook, and what is owed wait.

        Raises:
            NotFound: there is none of that number, or it is somebody else's.
            Conflict: it is disabled.
        """
        return await self._store.transact(self._change, user_id, webhook_id, _pause)

    async def resume(self, user_id: int, webhook_id: int) -> Webhook:
        """Let a webhook that was paused or disabled go on with what it is owed.

        Raises:
            NotFound: there is none of that number, or it is somebody else's.
        """
        active = {
            "status": WebhookStatus.ACTIVE,
            "disabled_reason": None,
            "failing_since": None,
        }
        return await self.change(user_id, webhook_id, active)

    async def rotate_secret(self, user_id: int, webhook_id: int, secret: str) -> Webhook:
        """Sign by another secret from now on, and for a while by the present one too.

        Raises:
            NotFound: there is none of that number, or it is somebody else's.
        """
        token = self._vault.encrypt(secret)
        until = self._clock.now() + self._rotation_overlap

        def rotate(webhook: Webhook) -> Mapping[str, object]:
            return {
                "secret": token,
                "previous_secret": webhook.secret,
                "previous_secret_until": until,
            }

        return await self._store.transact(self._change, user_id, webhook_id, rotate)

    async def delete(self, user_id: int, webhook_id: int) -> None:
        """Delete a webhook with its deliveries; nothing more is attempted for it.

        It is paused first: its deliveries, of which there may be many, go in slices.

        Raises:
            NotFound: there is none of that number, or it is somebody else's.
        """
        paused = {"status": WebhookStatus.PAUSED}
        await self.change(user_id, webhook_id, paused)
        while await self._store.write(delete_some, webhook_id):
            pass
        await self._store.transact(self._delete, user_id, webhook_id)

    async def redeliver(
        self,
        change: Callable[Concatenate[Webhook, P], T],
        user_id: int,
        webhook_id: int,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Change what a webhook is owed, then attempt that; return what `change` returns.

        Args:
            change: a function of `biont_webhooks.service.redelivery`; it runs in a write.
            user_id: whose webhook it is.
            webhook_id: the webhook.
            args: further arguments of `change`.
            kwargs: likewise.

        Raises:
            NotFound: there is none of that number, or it is somebody else's.
        """

        def write(tx: Transaction) -> T:
            webhook = Webhook.get_owned(user_id, webhook_id)
            result = change(webhook, *args, **kwargs)
            self._take_up(tx, webhook)
            return result

        return await self._store.transact(write)

    def _insert(self, columns: Mapping[str, object]) -> Webhook:
        # An attempt for a webhook that was deleted may be under way: nobody inherits its number.
        highest: int | None = Webhook.select(fn.MAX(Webhook.id)).scalar()
        self._last_id = max(self._last_id, highest or 0) + 1
        webhook = Webhook.create(id=self._last_id, **columns)
        self._subscriptions.forget(webhook.user_id)
        return webhook

    def _change(
        self,
        tx: Transaction,
        user_id: int,
        webhook_id: int,
        choose: Callable[[Webhook], Mapping[str, object]],
    ) -> Webhook:
        webhook = Webhook.get_owned(user_id, webhook_id)
        columns = {**choose(webhook), "updated_at": self._clock.now()}
        for name, value in columns.items():
            setattr(webhook, name, value)
        webhook.save(only=list(columns))
        self._subscriptions.forget(user_id)
        self._take_up(tx, webhook)
        return webhook

    def _delete(self, tx: Transaction, user_id: int, webhook_id: int) -> None:
        Webhook.get_owned(user_id, webhook_id).delete_instance()
        self._subscriptions.forget(user_id)
        tx.after_commit(functools.partial(self._sender.forget, webhook_id))

    def _take_up(self, tx: Transaction, webhook: Webhook) -> None:
        """Let the sender go on with a webhook as it is once this write is durable."""
        if webhook.status == WebhookStatus.ACTIVE:
            subscriber = to_subscriber(webhook, self._vault)
            tx.after_commit(functools.partial(self._sender.refresh, subscriber))
        else:
            tx.after_commit(functools.partial(self._sender.forget, webhook.id))


WEBHOOKS = Service[Webhooks]("webhooks", provider="webhooks")


def _pause(webhook: Webhook) -> Mapping[str, object]:
    if webhook.status == WebhookStatus.DISABLED:
        raise Conflict(f"webhook {webhook.id} is disabled; nothing is sent to it")
    return {"status": WebhookStatus.PAUSED}
