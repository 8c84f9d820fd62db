"""What a write function is handed."""

from __future__ import annotations

from collections.abc import Callable

from biont.event import Event, EventFactory, JsonObject
from biont.exceptions import BiontError


class Transaction:
    """One write in progress; what it does is committed whole or not at all.

    Attributes:
        can_defer: whether this is the transaction of new events, in which a
            transactional handler may use `defer`.
    """

    __slots__ = ("_factory", "callbacks", "can_defer", "deferred", "events")

    def __init__(self, factory: EventFactory, *, can_defer: bool = False) -> None:
        self._factory = factory
        self.can_defer = can_defer
        self.deferred: list[Event] = []
        self.events: list[Event] = []
        self.callbacks: list[Callable[[], None]] = []

    def emit(self, event_type: str, user_id: int, payload: JsonObject) -> Event:
        """Record an event that becomes durable together with this write.

        Raises:
            InvalidInput: the type or the payload cannot be stored.
            Conflict: the chain of events that led here is too long.
        """
        event = self._factory.make(event_type, user_id, payload)
        self.events.append(event)
        return event

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the event loop once this write is durable, and never otherwise.

        It runs before whoever awaits the write goes on.
        """
        self.callbacks.append(callback)

    def defer(self, event: Event) -> None:
        """Let the transactional handler that runs see a new event again, soon and for good.

        For what may be done a little later, with more of its kind, so that nobody who
        emits waits for it.

        Raises:
            BiontError: it is not the transaction of new events.
        """
        if not self.can_defer:
            raise BiontError("only in the transaction of new events may a handler defer one")
        self.deferred.append(event)
