"""What a write function is handed."""

from __future__ import annotations

from collections.abc import Callable

from biont.event import Event, EventFactory, JsonObject


class Transaction:
    """One write in progress; what it does is committed whole or not at all."""

    __slots__ = ("_factory", "callbacks", "events")

    def __init__(self, factory: EventFactory) -> None:
        self._factory = factory
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
