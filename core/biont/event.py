"""Events: the `Event` structure, the cause of emitted events, and the event factory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
from biont.json_text import check_json

JsonObject = Mapping[str, JsonValue]
"""A JSON object."""

PAYLOAD_LIMIT = 256 * 1024
"""The largest payload as JSON text, in bytes."""


class Event(msgspec.Struct, frozen=True):
    """An immutable fact in the past.

    Attributes:
        id: a UUIDv7 as text; receivers get the same id as ``webhook-id``.
        user_id: the user whom the event concerns.
        event_type: the name of the event type, in snake case: ``note_created``.
        payload: the details, as JSON.
        created_at: the instant of emission, in UTC.
        correlation_id: the same text for all events of one first cause.
        causation_id: the id of the event whose handler emitted this event, if any.
        hops: the number of events before this one in its chain.
        payload_json: the payload as JSON text, encoded only once.
        origin: the id of the event by which text from outside came in that led to this event;
            the id of the event itself for a request of another system. None for an event that
            no text from outside has led to.
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
    origin: str | None = None

    @classmethod
    def uncaused(
        cls,
        event_id: str,
        user_id: int,
        event_type: str,
        payload: JsonObject,
        created_at: datetime,
    ) -> Event:
        """Return an event without a cause, which is not emitted."""
        return cls(
            id=event_id,
            user_id=user_id,
            event_type=event_type,
            payload=payload,
            created_at=created_at,
            correlation_id=event_id,
            causation_id=None,
            hops=0,
            payload_json=orjson.dumps(payload).decode(),
        )


class Cause(NamedTuple):
    """The cause of the running code; emitted events inherit the fields.

    Attributes:
        correlation_id: the correlation id of all events that follow.
        event_id: the id of the event that is being handled, if any.
        hops: the number of events in the chain so far.
        origin: the event by which text from outside came in, if any; see `Event.origin`.
    """

    correlation_id: str
    event_id: str | None = None
    hops: int = 0
    origin: str | None = None


_cause: ContextVar[Event | Cause | None] = ContextVar("biont_cause", default=None)
# Apart from the cause, because running work may read text from outside at any moment.
_origin: ContextVar[str | None] = ContextVar("biont_origin", default=None)


class caused_by:  # noqa: N801  # a context manager that reads as a function
    """Set `cause` as the cause of each event that is emitted inside the block.

    A class instead of a generator, because a generator is slower and the block runs often.
    """

    __slots__ = ("_cause", "_token")

    def __init__(self, cause: Event | Cause) -> None:
        self._cause = cause

    def __enter__(self) -> None:
        self._token: Token[Event | Cause | None] = _cause.set(self._cause)

    def __exit__(self, *_: object) -> None:
        _cause.reset(self._token)


def set_cause(cause: Event | Cause | None) -> None:
    """Set `cause` as the cause of each event that the running task emits from now on.

    A task that turns to other work has to set another cause, or None.
    """
    _cause.set(cause)
    _origin.set(None)


def find_origin() -> str | None:
    """Return the origin of the text from outside that the running code has read, if any."""
    cause = _cause.get()
    from_cause = None if cause is None else cause.origin
    return from_cause or _origin.get()


def mark_origin(origin: str | None) -> None:
    """Mark the running task: all that it emits from now on has read text from outside.

    The first mark stays. None marks nothing, so that callers can pass the origin of any row.
    """
    if origin is not None and find_origin() is None:
        _origin.set(origin)


@contextmanager
def led_by(origin: str | None) -> Iterator[None]:
    """Begin work whose instructions have this origin; marks inside end with the block.

    Args:
        origin: the origin of the work; None for work that no text from outside has led to.
    """
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


class EventFactory:
    """Makes events that are checked to be storable.

    Args:
        clock: gives `Event.created_at`.
        max_hops: the longest permitted chain of events that cause each other.

    Attributes:
        event_types: the types that may be emitted; None before plugins are loaded, when any
            name in snake case is permitted.
    """

    def __init__(self, clock: Clock, max_hops: int) -> None:
        self._clock = clock
        self._max_hops = max_hops
        self.event_types: EventTypes | None = None

    def make(self, event_type: str, user_id: int, payload: JsonObject) -> Event:
        """Return a new event, with the cause of the running code.

        Raises:
            InvalidInput: the type is not declared, or the payload is not as
                declared, not JSON, or larger than `PAYLOAD_LIMIT`.
            Conflict: the chain of events that led here is too long, as with a webhook
                whose receiver triggers the same webhook.
        """
        payload_json = _encode_payload(payload)
        if self.event_types is None:
            check_shape(event_type)
        else:
            self.event_types.check(event_type, payload_json)
        # UUIDv7, because the ids then sort by time and stay close together in an index.
        event_id = str(uuid_utils.uuid7())
        cause = _find_cause(event_id)
        if cause.hops > self._max_hops:
            raise Conflict(
                f"event {event_type!r} refused: the chain has {cause.hops} hops; at most "
                f"{self._max_hops} are allowed; break the loop, or raise events.max_hops"
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
            origin=cause.origin or _origin.get(),
        )


def _find_cause(event_id: str) -> Cause:
    """Return the cause of a new event; without a cause, `event_id` begins a new chain."""
    cause = _cause.get()
    if cause is None:
        return Cause(event_id)
    if isinstance(cause, Event):
        return Cause(cause.correlation_id, cause.id, cause.hops + 1, cause.origin)
    return cause


def encode_event(event: Event) -> str:
    """Return all fields of `event` as JSON text."""
    return orjson.dumps(
        {
            **({} if event.origin is None else {"origin": event.origin}),
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
    """Return the event that `encode_event` has encoded as `text`."""
    fields = orjson.loads(text)
    created_at = datetime.fromisoformat(fields.pop("created_at"))
    payload_json = orjson.dumps(fields["payload"]).decode()
    return Event(**fields, created_at=created_at, payload_json=payload_json)


def _encode_payload(payload: JsonObject) -> str:
    try:
        encoded = orjson.dumps(payload)
    except TypeError as error:
        # Only now, because a walk through each payload would slow down every emit.
        check_json(payload, root=("payload",))
        raise InvalidInput(InputProblem(f"must be JSON: {error}", "#/payload")) from error
    # orjson writes NaN and the infinities as null.
    if b"null" in encoded:
        check_json(payload, root=("payload",))
    if len(encoded) > PAYLOAD_LIMIT:
        raise InvalidInput(
            InputProblem(
                f"has {len(encoded)} bytes; at most {PAYLOAD_LIMIT} are allowed", "#/payload"
            )
        )
    return encoded.decode()
