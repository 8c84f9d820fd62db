"""Webhook service: registers, changes and deletes webhooks.

Each change is one write, which also tells the subscriber cache, and after its commit the
dispatcher. An attempt under way is not interrupted, and keeps its URL and secret.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Concatenate, ParamSpec, TypeVar

from peewee import fn

from biont import Service, Store, Transaction
from biont.clock import Clock
from biont.exceptions import Conflict
from biont.security import Vault
from biont_webhooks.delivery.dispatcher import Dispatcher
from biont_webhooks.service.redelivery import delete_deliveries
from biont_webhooks.subscription.previous_secrets import add_present_secret
from biont_webhooks.subscription.subscriber import to_subscriber
from biont_webhooks.subscription.subscriber_cache import SubscriberCache
from biont_webhooks.tables import Webhook, WebhookStatus

P = ParamSpec("P")
T = TypeVar("T")


class Webhooks:
    """Operations on the webhooks of all users.

    Args:
        store: the store with the webhooks.
        vault: encrypts and decrypts the secrets of webhooks.
        clock: provides the time of changes.
        subscribers: the cache of active webhooks.
        dispatcher: makes the attempts.
        rotation_overlap: the seconds for which a replaced secret still signs.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        subscribers: SubscriberCache,
        dispatcher: Dispatcher,
        *,
        rotation_overlap: float,
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._subscribers = subscribers
        self._dispatcher = dispatcher
        self._rotation_overlap = timedelta(seconds=rotation_overlap)
        # Used on the writer thread only.
        self._last_id = 0

    async def register(self, user_id: int, secret: str, columns: Mapping[str, object]) -> Webhook:
        """Return a new webhook, which receives the events from now on."""
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
        self,
        user_id: int,
        webhook_id: int,
        choose: Callable[[Webhook], Mapping[str, object]],
    ) -> Webhook:
        """Change some columns of a webhook; return the changed webhook.

        Args:
            user_id: the user of the webhook.
            webhook_id: the number of the webhook.
            choose: returns the columns to set, inside the write; may raise `InvalidInput`.

        Raises:
            NotFound: the user has no webhook of this number.
        """
        return await self._store.transact(self._change, user_id, webhook_id, choose)

    async def pause(self, user_id: int, webhook_id: int) -> Webhook:
        """Stop creating deliveries for a webhook; its pending deliveries wait.

        Raises:
            NotFound: the user has no webhook of this number.
            Conflict: the webhook is disabled.
        """
        return await self.change(user_id, webhook_id, _pause_if_enabled)

    async def resume(self, user_id: int, webhook_id: int) -> Webhook:
        """Activate a webhook that was paused or disabled, and attempt its pending deliveries.

        Raises:
            NotFound: the user has no webhook of this number.
        """
        active = {
            "status": WebhookStatus.ACTIVE,
            "disabled_reason": None,
            "failing_since": None,
            "failed_attempts": 0,
            "last_failed_at": None,
            "waits_until": None,
        }
        return await self.change(user_id, webhook_id, lambda _: active)

    async def rotate_secret(self, user_id: int, webhook_id: int, secret: str) -> Webhook:
        """Sign with a new secret from now on, and for a while with the present secret too.

        Secrets of earlier rotations sign until their own time is up.

        Raises:
            NotFound: the user has no webhook of this number.
            Conflict: too many replaced secrets still sign.
        """
        token, now = self._vault.encrypt(secret), self._clock.now()
        until = now + self._rotation_overlap

        def rotate(webhook: Webhook) -> Mapping[str, object]:
            return {
                "secret": token,
                "previous_secrets": add_present_secret(webhook, now, until),
            }

        return await self.change(user_id, webhook_id, rotate)

    def delete(self, tx: Transaction, user_id: int, webhook_id: int) -> None:
        """Delete a webhook for its user; no further attempt begins.

        The row and the deliveries, of which there may be very many, stay until
        `delete_deliveries` has deleted them.

        Raises:
            NotFound: the user has no webhook of this number.
        """
        now = self._clock.now()
        # Paused, so that no new deliveries are created and none is attempted after a restart.
        deleted = {"status": WebhookStatus.PAUSED, "deleted_at": now}
        self._change(tx, user_id, webhook_id, lambda _: deleted)

    def delete_deliveries(
        self, tx: Transaction, webhook_id: int, delivery_ids: Sequence[int], *, is_last: bool
    ) -> None:
        """Delete some deliveries of a deleted webhook; with the last ones also the webhook."""
        delete_deliveries(delivery_ids)
        if is_last:
            Webhook.delete().where(Webhook.id == webhook_id).execute()
            tx.after_commit(functools.partial(self._dispatcher.close_queue, webhook_id))

    def redeliver(
        self,
        tx: Transaction,
        change: Callable[Concatenate[Webhook, P], T],
        user_id: int,
        webhook_id: int,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Change deliveries of a webhook in a transaction, and attempt them after the commit.

        Args:
            tx: the transaction.
            change: a function of `biont_webhooks.service.redelivery`.
            user_id: the user of the webhook.
            webhook_id: the number of the webhook.
            args: further arguments of `change`.
            kwargs: further arguments of `change`.

        Returns:
            The result of `change`.

        Raises:
            NotFound: the user has no webhook of this number.
        """
        webhook = Webhook.get_owned(user_id, webhook_id)
        result = change(webhook, *args, **kwargs)
        self._update_dispatcher(tx, webhook)
        return result

    async def attempt_now(
        self, choose: Callable[[Webhook], int], user_id: int, webhook_id: int
    ) -> int:
        """Attempt one delivery at once, also while the webhook is paused or its endpoint waits.

        Args:
            choose: returns the number of the delivery, which is pending; called inside a write.
            user_id: the user of the webhook.
            webhook_id: the number of the webhook.

        Raises:
            NotFound: the user has no webhook of this number.
        """

        def write(tx: Transaction) -> int:
            webhook = Webhook.get_owned(user_id, webhook_id)
            delivery_id = choose(webhook)
            subscriber = to_subscriber(webhook, self._vault)
            tx.after_commit(
                functools.partial(self._dispatcher.attempt_now, subscriber, delivery_id)
            )
            return delivery_id

        return await self._store.transact(write)

    def _insert(self, columns: Mapping[str, object]) -> Webhook:
        # SQLite gives the number of a deleted row away again. An attempt for the deleted
        # webhook may still be under way, and its result must not count for the new webhook.
        highest: int | None = Webhook.select(fn.MAX(Webhook.id)).scalar()
        self._last_id = max(self._last_id, highest or 0) + 1
        webhook = Webhook.create(id=self._last_id, **columns)
        self._subscribers.invalidate(webhook.user_id)
        return webhook

    def _change(
        self,
        tx: Transaction,
        user_id: int,
        webhook_id: int,
        choose: Callable[[Webhook], Mapping[str, object]],
    ) -> Webhook:
        webhook = Webhook.get_owned(user_id, webhook_id)
        chosen = choose(webhook)
        if not chosen:
            return webhook
        columns = {**chosen, "updated_at": self._clock.now()}
        for name, value in columns.items():
            setattr(webhook, name, value)
        webhook.save(only=list(columns))
        self._subscribers.invalidate(user_id)
        if "waits_until" in columns:
            tx.after_commit(functools.partial(self._dispatcher.end_wait, webhook_id))
        self._update_dispatcher(tx, webhook)
        return webhook

    def _update_dispatcher(self, tx: Transaction, webhook: Webhook) -> None:
        """Make the dispatcher use the present state of a webhook, after the commit."""
        if webhook.status == WebhookStatus.ACTIVE:
            subscriber = to_subscriber(webhook, self._vault)
            tx.after_commit(functools.partial(self._dispatcher.refresh, subscriber))
        else:
            tx.after_commit(functools.partial(self._dispatcher.close_queue, webhook.id))


WEBHOOKS = Service[Webhooks]("webhooks", provider="webhooks")


def _pause_if_enabled(webhook: Webhook) -> Mapping[str, object]:
    if webhook.status == WebhookStatus.DISABLED:
        raise Conflict(
            f"webhook {webhook.id} is disabled and gets no deliveries; resume it before you pause"
        )
    return {"status": WebhookStatus.PAUSED}


def count_webhooks(user_id: int) -> int:
    """Return the number of a user's webhooks."""
    mine = (Webhook.user == user_id, Webhook.deleted_at.is_null())
    return int(Webhook.select().where(*mine).count())
