"""Listener service: positions in the event log, and waiting for new events.

A listener is a position in the event log, and no delivery is created for it. So a consumer that
sleeps for a month costs nothing meanwhile, and after a crash of either side the next request reads
from the last acknowledged event on.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

import orjson

from biont import Event, Service, Transaction, Workbench
from biont.clock import Clock
from biont.exceptions import Conflict
from biont.http import make_causation_headers
from biont.security import Vault
from biont.store import dump_json
from biont_webhooks.delivery.deliveries import make_body
from biont_webhooks.listeners.schemas import ListenerChange, ListenerMessage
from biont_webhooks.listeners.tables import Listener
from biont_webhooks.subscription.signing import SigningKey, sign

_MOST = 100
"""Most listeners of a user."""


class ListenerWaits:
    """Requests that wait for new events, by user. Used on the event loop only."""

    def __init__(self) -> None:
        self._waiting: defaultdict[int, set[asyncio.Event]] = defaultdict(set)
        self._is_over = False

    async def wait(self, user_id: int, news: asyncio.Event, seconds: float) -> None:
        """Wait until `news` is set, or for `seconds`; at a shutdown return at once.

        Args:
            user_id: the user, whose events set `news` from the call of `announce` on.
            news: the event of `announce`.
            seconds: the longest wait.
        """
        if not self._is_over:
            try:
                async with asyncio.timeout(seconds):
                    await news.wait()
            except TimeoutError:
                pass
        self._waiting[user_id].discard(news)

    def announce(self, user_id: int) -> asyncio.Event:
        """Return an event that the next new event of the user sets; pass it to `wait`."""
        news = asyncio.Event()
        self._waiting[user_id].add(news)
        return news

    def forget(self, user_id: int, news: asyncio.Event) -> None:
        """Forget an event of `announce` that no request waits for."""
        self._waiting[user_id].discard(news)
        if not self._waiting[user_id]:
            del self._waiting[user_id]

    def wake_after_commit(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Wake the requests of the users of `events`, after the commit."""
        # Before the commit, a request that wakes would not see the events in the log.
        tx.after_commit(partial(self._wake, {event.user_id for event in events}))

    async def end_at_shutdown(self, workbench: Workbench) -> None:
        """Wake all requests at the shutdown, which waits for open requests."""
        await workbench.shutdown.requested.wait()
        self._is_over = True
        self._wake(list(self._waiting))

    def _wake(self, user_ids: Collection[int]) -> None:
        for user_id in user_ids:
            for news in self._waiting.get(user_id, ()):
                news.set()


LISTENER_WAITS = Service[ListenerWaits]("listener waits", provider="webhooks")
"""The requests that wait for new events."""


def create_listener(
    user_id: int, name: str, event_types: Sequence[str], token: str, position: int, now: datetime
) -> Listener:
    """Create a listener that begins after `position`, as a store function.

    Raises:
        Conflict: the user has a listener of this name, or too many listeners.
    """
    own = Listener.of_user(user_id)
    if own.where(Listener.name == name).exists():
        raise Conflict(f"there is a listener {name!r} already; use it, or choose another name")
    if own.count() >= _MOST:
        raise Conflict(f"you have {_MOST} listeners, the most of a user; delete one first")
    return Listener.create(
        user=user_id,
        name=name,
        event_types=dump_json(list(event_types)),
        secret=token,
        position=position,
        created_at=now,
    )


def change_listener(user_id: int, listener_id: int, change: ListenerChange) -> Listener:
    """Change a listener as a store function; the position only moves forward.

    Raises:
        NotFound: the user has no listener of this number.
    """
    listener = Listener.get_owned(user_id, listener_id)
    given = change.model_fields_set
    if "position" in given:
        listener.position = max(listener.position, change.position)
    if "event_types" in given:
        listener.event_types = dump_json(change.event_types)
    listener.save()
    return listener


def make_message(
    listener: Listener, number: int, event: Event, vault: Vault, clock: Clock
) -> ListenerMessage:
    """Return the request that a webhook with the secret of the listener would get now."""
    body = make_body(event)
    signed = sign(
        [SigningKey(vault.decrypt(listener.secret))],
        message_id=event.id,
        timestamp=int(clock.now().timestamp()),
        body=body,
    )
    causation = make_causation_headers(event.correlation_id, event.hops)
    return ListenerMessage(
        number=number,
        event_id=event.id,
        event_type=event.event_type,
        headers={**causation, **signed, "Content-Type": "application/json"},
        body=body.decode(),
    )


def list_patterns(listener: Listener) -> list[str]:
    """Return the patterns of event types of a listener."""
    patterns: list[str] = orjson.loads(listener.event_types)
    return patterns
