"""Client event ids: a client that names its event may send the event again.

The id is inserted in the transaction of the event. A client's id is not the id of the event,
because two users may choose the same id.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from peewee import TextField

from biont.accounts.owned_table import OwnedTable
from biont.event import JsonObject
from biont.exceptions import Conflict
from biont.store.database import InstantField
from biont.store.transaction import Transaction

CLIENT_ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
"""Pattern of the ids that clients choose for their events."""


def check_client_id(text: str) -> bool:
    """Return whether a client may choose `text` as the id of an event."""
    return re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text) is not None


class ClientEventId(OwnedTable):
    """An id that a client chose for an event.

    Attributes:
        client_id: the client's id, unique among the events of the user.
        content: the digest of the event's type and payload.
        event_id: the id of the event.
        correlation_id: the correlation id of the event.
        created_at: the instant of the event.
    """

    client_id = TextField()
    content = TextField()
    event_id = TextField()
    correlation_id = TextField()
    created_at = InstantField()

    class Meta:
        table_name = "client_event_ids"


@dataclass(frozen=True, slots=True)
class EmittedOnce:
    """The event of a client's id, emitted now or before."""

    id: str
    created_at: datetime
    correlation_id: str


def emit_once(
    tx: Transaction, client_id: str, event_type: str, user_id: int, payload: JsonObject
) -> EmittedOnce:
    """Emit an event unless the client's id was used before; return the event of the id.

    Args:
        tx: the transaction.
        client_id: the client's id, which matches `CLIENT_ID_PATTERN`.
        event_type: the type.
        user_id: the user whom the event concerns.
        payload: the payload.

    Raises:
        InvalidInput: the type or the payload cannot be stored.
        Conflict: the id was used with another type or payload, or the chain of events that led
            here is too long.
    """
    # With sorted keys: the order of the members of an object means nothing.
    text = orjson.dumps([event_type, payload], option=orjson.OPT_SORT_KEYS)
    content = hashlib.sha256(text).hexdigest()
    known = ClientEventId.of_user(user_id).where(ClientEventId.client_id == client_id).first()
    if known is None:
        event = tx.emit(event_type, user_id, payload)
        known = ClientEventId.create(
            user=user_id,
            client_id=client_id,
            content=content,
            event_id=event.id,
            correlation_id=event.correlation_id,
            created_at=event.created_at,
        )
    elif known.content != content:
        raise Conflict(
            f"the event {client_id!r} was emitted with another type or payload; "
            "choose a new id for each event"
        )
    return EmittedOnce(known.event_id, known.created_at, known.correlation_id)


def find_old_client_ids(before: datetime, limit: int) -> list[int]:
    """Return the numbers of up to `limit` ids of events from before an instant."""
    old = ClientEventId.select(ClientEventId.id).where(ClientEventId.created_at < before)
    return [row.id for row in old.order_by(ClientEventId.created_at).limit(limit)]


def delete_client_ids(numbers: Sequence[int]) -> None:
    """Delete ids by their numbers."""
    ClientEventId.delete().where(ClientEventId.id.in_(numbers)).execute()
