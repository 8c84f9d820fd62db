"""What an event is, and how one comes to be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

import orjson
import uuid_utils
from pydantic import JsonValue

from biont.clock import Clock
from biont.exceptions import Conflict, InputProblem, InvalidInput

JsonObject = Mapping[str, JsonValue]

PAYLOAD_LIMIT = 256 * 1024
"""The size that a payload may have as JSON, in bytes."""

_EVENT_TYPE = re.compile(r"[a-z][a-z0-9_]{0,99}")


@dataclass(frozen=True, slots=True)
class Event:
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
    """

    id: str
    user_id: int
    event_type: str
    payload: JsonObject
    created_at: datetime
    correlation_id: str
    causation_id: str | None = None
    hops: int = 0


@dataclass(frozen=True, slots=True)
class Cause:
    """What the running code was started by; emitted events inherit it."""

    correlation_id: str
    event_id: str | None = None
    hops: int = 0


_cause: ContextVar[Cause | None] = ContextVar("biont_cause", default=None)


@contextmanager
def caused_by(cause: Event | Cause) -> Iterator[None]:
    """Let each event that is emitted inside name `cause` as its own."""
    if isinstance(cause, Event):
        cause = Cause(cause.correlation_id, cause.id, cause.hops + 1)
    token = _cause.set(cause)
    try:
        yield
    finally:
        _cause.reset(token)


class EventFactory:
    """Makes events that are known to be storable.

    Args:
        clock: stamps `Event.created_at`.
        max_hops: the longest chain of events that cause each other.
    """

    def __init__(self, clock: Clock, max_hops: int) -> None:
        self._clock = clock
        self._max_hops = max_hops

    def make(self, event_type: str, user_id: int, payload: JsonObject) -> Event:
        """Return a new event, caused by what runs at present.

        Raises:
            InvalidInput: the type is not snake case, or the payload is not
                JSON or larger than `PAYLOAD_LIMIT`.
            Conflict: the chain of events that led here is too long, as in a
                webhook that feeds its own source.
        """
        _check_event_type(event_type)
        _check_payload(payload)
        cause = _cause.get()
        event_id = str(uuid_utils.uuid7())
        if cause is None:
            return Event(event_id, user_id, event_type, payload, self._clock.now(), event_id)
        if cause.hops > self._max_hops:
            raise Conflict(
                f"event {event_type!r} refused: it would be hop {cause.hops} of a chain that may "
                f"have {self._max_hops}; break the loop, or raise events.max_hops"
            )
        return Event(
            event_id,
            user_id,
            event_type,
            payload,
            self._clock.now(),
            cause.correlation_id,
            cause.event_id,
            cause.hops,
        )


def _check_event_type(event_type: str) -> None:
    if not _EVENT_TYPE.fullmatch(event_type):
        raise InvalidInput(
            InputProblem(
                "must be snake case: a-z, 0-9 and _, at most 100 characters", "#/event_type"
            )
        )


def _check_payload(payload: JsonObject) -> None:
    try:
        size = len(orjson.dumps(payload))
    except TypeError as error:
        raise InvalidInput(InputProblem(f"must be JSON: {error}", "#/payload")) from error
    if size > PAYLOAD_LIMIT:
        raise InvalidInput(
            InputProblem(f"has {size} bytes of the {PAYLOAD_LIMIT} it may have", "#/payload")
        )
