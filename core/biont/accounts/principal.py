"""Principal of a request: the user and the key, with the rights of the key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from biont.event_patterns import covers, intersect
from biont.exceptions import Forbidden


class Scope(StrEnum):
    """Set of routes that a key may use."""

    FULL = "full"
    READ = "read"
    CHAT = "chat"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Limits of a key within its scope.

    Attributes:
        events: the patterns of event types that the key may emit, read and subscribe webhooks
            to; None for all.
        models: the models that requests of the key may use, as ``backend/model`` or as a backend
            with all its models; None for all.
    """

    events: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None

    @property
    def is_narrow(self) -> bool:
        """True if the key has any limit."""
        return self.events is not None or self.models is not None

    def check_events(self, patterns: Iterable[str]) -> None:
        """Check that the key may see all events that `patterns` match.

        Raises:
            Forbidden: some of the events are beyond the key.
        """
        if self.events is None:
            return
        for pattern in patterns:
            if not covers(self.events, pattern):
                raise Forbidden(
                    f"this key may not use events of type {pattern}; {_name_events(self.events)}"
                )

    def choose_events(self, pattern: str) -> Sequence[str]:
        """Return patterns for those events of `pattern` that the key may see.

        Raises:
            Forbidden: the key may see none of the events.
        """
        if self.events is None:
            return [pattern]
        chosen = intersect(self.events, pattern)
        if not chosen:
            raise Forbidden(
                f"this key may not use events of type {pattern}; {_name_events(self.events)}"
            )
        return chosen

    def find_excess(self, other: Narrowing) -> str | None:
        """Return the first right that `other` has beyond this narrowing, as a JSON pointer."""
        if self.events is not None:
            if other.events is None:
                return "#/events"
            for index, pattern in enumerate(other.events):
                if not covers(self.events, pattern):
                    return f"#/events/{index}"
        if self.models is not None:
            if other.models is None:
                return "#/models"
            for index, model in enumerate(other.models):
                # A backend has all its models.
                if model not in self.models and model.partition("/")[0] not in self.models:
                    return f"#/models/{index}"
        return None

    def inherit(self, other: Narrowing) -> Narrowing:
        """Return `other` with the limits of this narrowing where `other` has none."""
        return Narrowing(
            self.events if other.events is None else other.events,
            self.models if other.models is None else other.models,
        )


WHOLE = Narrowing()
"""No limits within the scope."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Authenticated user and key of a request.

    Attributes:
        user_id: the user, whose rows the request may use.
        key_id: the key.
        scope: the routes that the key may use.
        expires_at: the instant from which the key is refused; None for never.
        narrowing: the limits of the key within its scope.
        is_admin: whether the user manages the users.
        is_session: whether the key is the session of a browser.
        viewer_id: the administrator, of whom the key is, who looks at the rows of `user_id`; None
            for a user with own rows.
    """

    user_id: int
    key_id: int
    scope: Scope
    expires_at: datetime | None
    narrowing: Narrowing = WHOLE
    is_admin: bool = False
    is_session: bool = False
    viewer_id: int | None = None

    @property
    def key_user_id(self) -> int:
        """The user of the key."""
        return self.user_id if self.viewer_id is None else self.viewer_id


@dataclass(frozen=True, slots=True)
class Actor:
    """Source of an act on keys or users.

    Attributes:
        key_id: the API key of the request; None for the command line and the workbench itself.
        address: the address of the client.
    """

    key_id: int | None = None
    address: str | None = None

    def describe(self) -> dict[str, JsonValue]:
        """Return the fields of an event."""
        return {"by_key_id": self.key_id, "address": self.address}


OPERATOR = Actor()
"""The operator, by the command line, or the workbench itself."""


def _name_events(events: Sequence[str]) -> str:
    return f"it is narrowed to {', '.join(events) or 'no events'}"
