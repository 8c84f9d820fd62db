"""What an event is, and how one comes to be."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar, Token
from datetime import datetime
from typing import NamedTuple

import msgspec
import orjson
import uuid_utils
from pydantic import JsonValue

from biont.clock import Clock
from biont.event_types import EventTypes, check_shape
from biont.exceptions import Conflict, InputProblem, InvalidInput

JsonObject = Mapping[str, JsonValue]

PAYLOAD_LIMIT = 256 * 1024
"""The size that a payload may have as JSON, in bytes."""


class Event(msgspec.Struct, frozen=True):
    """A fact in the past; it never changes.

    Attributes:
        id: a UUIDv7 as text, which receivers know as ``webhook-id``.
        user_id: whom it concerns.
        event_type: what happened, in snake case: ``note_created``.
        payload: the details, as JSON.
        created_at: the instant it was emitted, in UTC.
        correlation_id: what it belongs to; equal for all events of one cause.
        causation_id: the event whose handler emitted it, if one did.
        hops: how many events stand between it and the first cause.
        payload_json: the payload as JSON text.
    """

    id: str
    user_id: int
    event_type: str
    payload: JsonObject
    created_at: datetime
    correlation_id: str
    causation_id: str | None
    hops: int
    payload_json: str

    @classmethod
    def uncaused(
        cls,
        event_id: str,
        user_id: int,
        event_type: str,
        payload: JsonObject,
        created_at: datetime,
    ) -> Event:
        """Return an event that nothing has caused; it is not emitted by that."""
        payload_json = orjson.dumps(payload).decode()
        return cls(
            event_id, user_id, event_type, payload, created_at, event_id, None, 0, payload_json
        )


class Cause(NamedTuple):
    """What the running code was started by; emitted events inherit it.

    Attributes:
        correlation_id: what all that follows from it has in common.
        event_id: the event that is being handled, if one is.
        hops: how many events have led here.
    """

    correlation_id: str
    event_id: str | None = None
    hops: int = 0


_cause: ContextVar[Event | Cause | None] = ContextVar("biont_cause", default=None)


class caused_by:  # noqa: N801  # a context manager that reads as a function
    """Let each event that is emitted inside name `cause` as its own.

    It surrounds every call of every handler, hence no generator.
    """

    __slots__ = ("_cause", "_token")

    def __init__(self, cause: Event | Cause) -> None:
        self._cause = cause

    def __enter__(self) -> None:
        self._token: Token[Event | Cause | None] = _cause.set(self._cause)

    def __exit__(self, *_: object) -> None:
        _cause.reset(self._token)


def set_cause(cause: Event | Cause | None) -> None:
    """Let each event that the running task emits from now on name `cause` as its own.

    Where the task goes on to something else, that has to set another, or None.
    """
    _cause.set(cause)


class EventFactory:
    """Makes events that are known to be storable.

    Args:
        clock: stamps `Event.created_at`.
        max_hops: the longest chain of events that cause each other.

    Attributes:
        event_types: what may be emitted; None while that is not known, and then
            any name that is snake case.
    """

    def __init__(self, clock: Clock, max_hops: int) -> None:
        self._clock = clock
        self._max_hops = max_hops
        self.event_types: EventTypes | None = None

    def make(self, event_type: str, user_id: int, payload: JsonObject) -> Event:
        """Return a new event, caused by what runs at present.

        Raises:
            InvalidInput: the type is not declared, or the payload is not as
                declared, not JSON, or larger than `PAYLOAD_LIMIT`.
            Conflict: the chain of events that led here is too long, as in a
                webhook that feeds its own source.
        """
        payload_json = _encode_payload(payload)
        if self.event_types is None:
            check_shape(event_type)
        else:
            self.event_types.check(event_type, payload_json)
        event_id = str(uuid_utils.uuid7())
        cause = _find_cause(event_id)
        if cause.hops > self._max_hops:
            raise Conflict(
                f"event {event_type!r} refused: it would be hop {cause.hops} of a chain that may "
                f"have {self._max_hops}; break the loop, or raise events.max_hops"
            )
        return Event(
            id=event_id,
            user_id=user_id,
            event_type=event_type,
            payload=payload,
            created_at=self._clock.now(),
            correlation_id=cause.correlation_id,
            causation_id=cause.event_id,
            hops=cause.hops,
            payload_json=payload_json,
        )


def _find_cause(event_id: str) -> Cause:
    """Return what causes an event that is being made; its own id begins a new chain."""
    cause = _cause.get()
    if cause is None:
        return Cause(event_id)
    if isinstance(cause, Event):
        return Cause(cause.correlation_id, cause.id, cause.hops + 1)
    return cause


def encode_event(event: Event) -> str:
    """Return all of `event` as JSON text."""
    return orjson.dumps(
        {
            "id": event.id,
            "user_id": event.user_id,
            "event_type": event.event_type,
            "payload": event.payload,
            "created_at": event.created_at,
            "correlation_id": event.correlation_id,
            "causation_id": event.causation_id,
            "hops": event.hops,
        }
    ).decode()


def decode_event(text: str) -> Event:
    """Return the event that `encode_event` made `text` of."""
    fields = orjson.loads(text)
    created_at = datetime.fromisoformat(fields.pop("created_at"))
    payload_json = orjson.dumps(fields["payload"]).decode()
    return Event(**fields, created_at=created_at, payload_json=payload_json)


def _encode_payload(payload: JsonObject) -> str:
    try:
        encoded = orjson.dumps(payload)
    except TypeError as error:
        raise InvalidInput(InputProblem(f"must be JSON: {error}", "#/payload")) from error
    if len(encoded) > PAYLOAD_LIMIT:
        raise InvalidInput(
            InputProblem(
                f"has {len(encoded)} bytes of the {PAYLOAD_LIMIT} it may have", "#/payload"
            )
        )
    return encoded.decode()
