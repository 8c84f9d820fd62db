"""Transaction: the first argument of functions that `Store.transact` runs."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from biont.event import Event, EventFactory, JsonObject
from biont.exceptions import BiontError


class Transaction:
    """A write in progress, committed as a whole or not at all.

    Attributes:
        can_defer: whether this is the transaction of new events, in which a
            transactional handler may use `defer`.
        deferred: the events that the running transactional handler has deferred.
        events: the events that the write has emitted.
        callbacks: functions to call on the event loop after the commit.
    """

    __slots__ = ("_factory", "callbacks", "can_defer", "deferred", "events")

    def __init__(self, factory: EventFactory, *, can_defer: bool = False) -> None:
        self._factory = factory
        self.can_defer = can_defer
        self.deferred: list[Event] = []
        self.events: list[Event] = []
        self.callbacks: list[Callable[[], None]] = []

    def emit(self, event_type: str, user_id: int, payload: JsonObject) -> Event:
        """Return a new event that becomes durable together with this write.

        Raises:
            InvalidInput: the type or the payload cannot be stored.
            Conflict: the chain of events that led here is too long.
        """
        return self.add(self._factory.make(event_type, user_id, payload))

    def emit_from_outside(self, event_type: str, user_id: int, payload: JsonObject) -> Event:
        """Return a new event, as `emit`, by which text of another system comes in.

        The event is the origin of itself and of all events that follow from it.

        Raises:
            InvalidInput: the type or the payload cannot be stored.
            Conflict: the chain of events that led here is too long.
        """
        event = self._factory.make(event_type, user_id, payload)
        return self.add(structs.replace(event, origin=event.id))

    def add(self, event: Event) -> Event:
        """Make `event`, which the factory has made, durable together with this write."""
        self.events.append(event)
        return event

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the event loop after the commit; never after a failed write.

        The callback runs before the code that awaits the write continues.
        """
        self.callbacks.append(callback)

    def defer(self, event: Event) -> None:
        """Redeliver `event` to the running transactional handler, after the transaction.

        For work that may happen a little later, in larger batches, so that emitting does
        not wait for the work.

        Raises:
            BiontError: this is not the transaction of new events.
        """
        if not self.can_defer:
            raise BiontError("only in the transaction of new events may a handler defer one")
        self.deferred.append(event)
