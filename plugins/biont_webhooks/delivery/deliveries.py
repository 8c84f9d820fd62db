"""Creation of deliveries: a row for each event and webhook, and a message row for each event.

A message holds the exact bytes of the body, so that each attempt for each webhook sends the
same bytes. The unique index on message and webhook makes creation idempotent: an event that a
handler sees twice creates no second delivery.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from biont import Event
from biont.http import make_causation_headers
from biont.store import dump_json, execute_sql, format_instant
from biont_webhooks.tables import AttemptTrigger, ClaimState, DeliveryStatus


class PendingDelivery(NamedTuple):
    """A claimed delivery that waits in memory for an attempt.

    Attributes:
        id: the number of the delivery.
        webhook_id: the number of the webhook.
        event_id: the event's id, sent as ``webhook-id``.
        body: the exact bytes to send.
        causation_headers: headers with the correlation id and hops of the event.
        attempts: the number of attempts made so far.
        trigger: the reason for the next attempt.
        redelivered: whether an attempt whose record a crash has lost may have arrived.
    """

    id: int
    webhook_id: int
    event_id: str
    body: bytes
    causation_headers: Mapping[str, str]
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
            # The payload's text as the event log has it: encoded once, however many get it.
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
    recipients: Sequence[tuple[Event, Sequence[int]]],
    now: datetime,
    trigger: AttemptTrigger = AttemptTrigger.EVENT,
    *,
    claimed_for: Collection[int] = (),
) -> dict[int, list[PendingDelivery]]:
    """Insert a delivery for each event and webhook; return the new deliveries by webhook.

    Deliveries that exist stay as they are and are not returned.

    Args:
        recipients: events, each with the numbers of the webhooks that receive the event.
        now: the instant of creation.
        trigger: the reason for the first attempt.
        claimed_for: webhooks whose deliveries are inserted as claimed, because the caller
            offers these to the dispatcher. Deliveries of other webhooks wait in the table.
    """
    bodies = {event.id: make_body(event) for event, _ in recipients}
    messages = [_to_message_row(event, bodies[event.id]) for event, _ in recipients]
    execute_sql(_INSERT_MESSAGES, dump_json(messages))
    (last_id,) = execute_sql(_LAST_ID).fetchone()
    # In the order of webhooks, so that the new rows of one webhook share an index page.
    pairs = sorted(
        ((event, webhook_id) for event, webhook_ids in recipients for webhook_id in webhook_ids),
        key=lambda pair: pair[1],
    )
    # The ids are chosen here: to read them back would cost a statement for each row.
    numbered = list(enumerate(pairs, last_id + 1))
    rows = [
        (
            number,
            webhook_id,
            event.id,
            ClaimState.TAKEN if webhook_id in claimed_for else ClaimState.FREE,
        )
        for number, (event, webhook_id) in numbered
    ]
    inserted = execute_sql(_INSERT_DELIVERIES, trigger, format_instant(now), dump_json(rows))
    # Fewer rows than asked for: some deliveries existed. Only then the new ids are read back.
    new_ids: Collection[int] = range(last_id + 1, last_id + 1 + len(rows))
    if inserted.rowcount < len(rows):
        new_ids = set(orjson.loads(execute_sql(_NEW_IDS, last_id).fetchone()[0]))
    headers = {
        event.id: make_causation_headers(event.correlation_id, event.hops)
        for event, _ in recipients
    }
    created: dict[int, list[PendingDelivery]] = {}
    for number, (event, webhook_id) in numbered:
        if number in new_ids:
            created.setdefault(webhook_id, []).append(
                PendingDelivery(
                    number, webhook_id, event.id, bodies[event.id], headers[event.id], 0, trigger
                )
            )
    return created


def _to_message_row(event: Event, body: bytes) -> tuple[object, ...]:
    return (
        event.id,
        event.event_type,
        body.decode(),
        format_instant(event.created_at),
        event.correlation_id,
        event.hops,
    )
