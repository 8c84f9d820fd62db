"""Acts on many deliveries of a webhook, as operations: replay, recover, and delete.

A part looks at some events, or at some failed deliveries, in a read, and makes their deliveries
pending in a write. The write changes nothing twice: a delivery that exists is not created again,
and a delivery that is pending or has succeeded meanwhile does not change.
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel

from biont import Event, Scope, Transaction, Workbench
from biont.events import find_pattern
from biont.exceptions import NotFound
from biont.operations import Chunk, Counts, OperationKind, Part
from biont_audit import EVENT_LOG, EventLog, count_events
from biont_webhooks.service.redelivery import (
    count_existing,
    create_replays,
    find_deliveries,
    find_failed,
    recover_failed,
)
from biont_webhooks.service.webhooks import WEBHOOKS
from biont_webhooks.subscription.subscriber import to_subscriber
from biont_webhooks.tables import Webhook

WEBHOOK_REPLAY = "webhook_replay"
"""The operation kind that creates the missing deliveries of past events."""

WEBHOOK_RECOVER = "webhook_recover"
"""The operation kind that attempts failed deliveries once more."""

WEBHOOK_DELETE = "webhook_delete"
"""The operation kind that deletes the deliveries of a deleted webhook."""


_EMPTY_PAGES = 10
"""The pages of events that a part looks at until it finds an event to deliver."""


class ActParameters(BaseModel):
    """Parameters of an act on a webhook.

    Attributes:
        webhook_id: the number of the webhook.
    """

    webhook_id: int


class RecoverParameters(ActParameters):
    """Parameters of a recovery.

    Attributes:
        since: the earliest creation time of the deliveries.
    """

    since: datetime


class ReplayParameters(ActParameters):
    """Parameters of a replay.

    Attributes:
        since: the earliest creation time of the events.
        until: the creation time before which the events end; None for the begin of the operation.
        event_types: the patterns of event types; None for all.
    """

    since: datetime
    until: datetime | None = None
    event_types: list[str] | None = None

    def find_end(self, part: Part) -> datetime:
        """Return the instant before which the events of the operation end."""
        # Including the events of the instant itself.
        begun = part.begun_at + timedelta(microseconds=1)
        return begun if self.until is None else min(self.until, begun)


class _FoundEvents(NamedTuple):
    """Events of a part of a replay.

    Attributes:
        wanted: the events that the webhook gets.
        looked_at: the number of events that were read.
        after: the id of the last event that was read; None at the end.
    """

    wanted: list[Event]
    looked_at: int
    after: str | None


async def _find_wanted(part: Part, workbench: Workbench) -> _FoundEvents:
    chosen = part.parameters_as(ReplayParameters)
    webhook = await workbench.store.read(Webhook.get_owned, part.user_id, chosen.webhook_id)
    subscriber = to_subscriber(webhook, workbench.vault)
    patterns = chosen.event_types or ["*"]
    wanted: list[Event] = []
    looked_at, after, is_last = 0, part.cursor, False
    # A part without anything to write costs a transaction all the same.
    while not (wanted or is_last or looked_at >= _EMPTY_PAGES * part.limit):
        events = await _read_events(part, chosen, after, workbench.get(EVENT_LOG))
        wanted = [
            event
            for event in events
            if find_pattern(patterns, event.event_type) and subscriber.wants(event)
        ]
        looked_at += len(events)
        is_last = len(events) < part.limit
        after = None if is_last else events[-1].id
    return _FoundEvents(wanted, looked_at, after)


async def _replay_some(part: Part, workbench: Workbench) -> Chunk:
    webhook_id = part.parameters_as(ReplayParameters).webhook_id
    found = await _find_wanted(part, workbench)
    now = workbench.clock.now()

    def write(tx: Transaction) -> Counts:
        done = workbench.get(WEBHOOKS).redeliver(
            tx, create_replays, part.user_id, webhook_id, found.wanted, now
        )
        return Counts(done=done, skipped=found.looked_at - done)

    return Chunk(write, found.after)


async def count_replay(part: Part, workbench: Workbench) -> tuple[int, str | None]:
    """Return the number of deliveries that a part of a replay would create, and the cursor."""
    webhook_id = part.parameters_as(ReplayParameters).webhook_id
    found = await _find_wanted(part, workbench)
    ids = [event.id for event in found.wanted]
    existing = await workbench.store.read(count_existing, webhook_id, ids)
    return len(ids) - existing, found.after


async def count_recovery(part: Part, workbench: Workbench) -> tuple[int, str | None]:
    """Return the number of deliveries that a part of a recovery would attempt, and the cursor."""
    return await workbench.store.read(_count_failed, part)


async def _read_events(
    part: Part, chosen: ReplayParameters, after: str | None, log: EventLog
) -> list[Event]:
    """Return the events of the operation that follow the event `after`."""

    def read(after: str | None) -> Awaitable[list[Event]]:
        return log.read_events(
            part.user_id,
            since=chosen.since,
            until=chosen.find_end(part),
            after=after,
            limit=part.limit,
        )

    try:
        return await read(after)
    except NotFound:
        # Retention has deleted the event, and with it all earlier ones: the others follow it.
        return await read(None)


def _count_events(part: Part) -> tuple[int, str | None]:
    chosen = part.parameters_as(ReplayParameters)
    return count_events(part.user_id, chosen.since, chosen.find_end(part), part.cursor, part.limit)


async def _recover_some(part: Part, workbench: Workbench) -> Chunk:
    chosen = part.parameters_as(RecoverParameters)
    numbers, end = await workbench.store.read(_find_failed, part)

    def write(tx: Transaction) -> Counts:
        done = workbench.get(WEBHOOKS).redeliver(
            tx, recover_failed, part.user_id, chosen.webhook_id, numbers
        )
        return Counts(done=done, skipped=len(numbers) - done)

    return Chunk(write, None if end is None else str(end))


def _count_failed(part: Part) -> tuple[int, str | None]:
    numbers, end = _find_failed(part)
    return len(numbers), None if end is None else str(end)


def _find_failed(part: Part) -> tuple[list[int], int | None]:
    chosen = part.parameters_as(RecoverParameters)
    webhook = Webhook.get_owned(part.user_id, chosen.webhook_id)
    # By number: a recovered delivery may fail again while the older ones are recovered.
    before = None if part.cursor is None else int(part.cursor)
    return find_failed(webhook, chosen.since, before, part.limit)


async def _delete_some(part: Part, workbench: Workbench) -> Chunk:
    webhook_id = part.parameters_as(ActParameters).webhook_id
    numbers = await workbench.store.read(find_deliveries, webhook_id, part.limit)
    is_last = len(numbers) < part.limit

    def write(tx: Transaction) -> Counts:
        workbench.get(WEBHOOKS).delete_deliveries(tx, webhook_id, numbers, is_last=is_last)
        return Counts(done=len(numbers))

    # The deleted rows are gone from the next search, so the cursor only counts the parts.
    return Chunk(write, None if is_last else str(int(part.cursor or 0) + 1))


_SCOPES = frozenset({Scope.WEBHOOK})

OPERATION_KINDS = (
    OperationKind(WEBHOOK_REPLAY, ReplayParameters, _replay_some, _count_events, _SCOPES),
    OperationKind(WEBHOOK_RECOVER, RecoverParameters, _recover_some, _count_failed, _SCOPES),
    OperationKind(WEBHOOK_DELETE, ActParameters, _delete_some, scopes=_SCOPES),
)
