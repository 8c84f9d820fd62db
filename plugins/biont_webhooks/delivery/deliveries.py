"""What is owed to whom: events become deliveries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from biont import Event
from biont.http import make_causation_headers
from biont.store import execute_sql
from biont_webhooks.tables import AttemptTrigger, ClaimState, DeliveryStatus


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """A delivery that has yet to be attempted.

    Attributes:
        id: the delivery's.
        webhook_id: whose it is.
        event_id: what receivers know it by.
        body: the exact bytes to send.
        cause: headers that tell what the event is part of.
        attempts: how often it was attempted.
        trigger: why it is attempted.
        redelivered: whether an attempt may have arrived of which a crash has lost the
            record.
    """

    id: int
    webhook_id: int
    event_id: str
    body: bytes
    cause: Mapping[str, str]
    attempts: int = 0
    trigger: AttemptTrigger = AttemptTrigger.EVENT
    redelivered: bool = False


def make_body(event: Event) -> bytes:
    """Return the exact bytes that receivers of `event` get."""
    return orjson.dumps(
        {
            "id": event.id,
            "user_id": event.user_id,
            "event_type": event.event_type,
            "created_at": event.created_at,
            "payload": orjson.Fragment(event.payload_json),
        }
    )


_INSERT_MESSAGES = """
    INSERT OR IGNORE INTO webhook_messages
        (event_id, event_type, body, created_at, correlation_id, hops)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
    FROM json_each(?)
"""

_INSERT_DELIVERIES = f"""
    INSERT OR IGNORE INTO webhook_deliveries
        (id, webhook_id, message_id, claimed, status, "trigger", created_at)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, '{DeliveryStatus.PENDING}', ?, ?
    FROM json_each(?)
"""  # noqa: S608  # a constant

_LAST_ID = "SELECT COALESCE(MAX(id), 0) FROM webhook_deliveries"
_NEW_IDS = "SELECT json_group_array(id) FROM webhook_deliveries WHERE id > ?"


def insert_deliveries(
    owed: Sequence[tuple[Event, Sequence[int]]],
    now: datetime,
    trigger: AttemptTrigger = AttemptTrigger.EVENT,
    *,
    taken: Collection[int] = (),
) -> dict[int, list[PendingDelivery]]:
    """Record each event as owed to its webhooks; return what is new, by webhook.

    An event that was recorded before is owed no second time.

    Args:
        owed: events, each with the webhooks that it is owed to.
        now: when.
        trigger: why.
        taken: webhooks whose deliveries the caller hands to the sender at once; those
            of others wait in the table.
    """
    bodies = {event.id: make_body(event) for event, _ in owed}
    execute_sql(_INSERT_MESSAGES, _encode([_to_message(event, bodies) for event, _ in owed]))
    (last_id,) = execute_sql(_LAST_ID).fetchone()
    # By webhook: an index by webhook has its rows on one page then.
    pairs = sorted(
        ((event, webhook_id) for event, webhook_ids in owed for webhook_id in webhook_ids),
        key=lambda pair: pair[1],
    )
    rows = [
        (
            number,
            webhook_id,
            event.id,
            ClaimState.TAKEN if webhook_id in taken else ClaimState.FREE,
        )
        for number, (event, webhook_id) in enumerate(pairs, last_id + 1)
    ]
    inserted = execute_sql(_INSERT_DELIVERIES, trigger, str(now), _encode(rows)).rowcount
    new: Collection[int] = range(last_id + 1, last_id + 1 + len(rows))
    if inserted < len(rows):
        new = set(orjson.loads(execute_sql(_NEW_IDS, last_id).fetchone()[0]))
    causes = {
        event.id: make_causation_headers(event.correlation_id, event.hops) for event, _ in owed
    }
    found: dict[int, list[PendingDelivery]] = {}
    for number, (event, webhook_id) in enumerate(pairs, last_id + 1):
        if number in new:
            found.setdefault(webhook_id, []).append(
                PendingDelivery(
                    number, webhook_id, event.id, bodies[event.id], causes[event.id], 0, trigger
                )
            )
    return found


def _to_message(event: Event, bodies: Mapping[str, bytes]) -> tuple[object, ...]:
    return (
        event.id,
        event.event_type,
        bodies[event.id].decode(),
        str(event.created_at),
        event.correlation_id,
        event.hops,
    )


def _encode(rows: Sequence[tuple[object, ...]]) -> str:
    return orjson.dumps(rows).decode()
