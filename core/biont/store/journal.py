"""The durable record of events that some handler has not yet handled.

Events are numbered in the order of their commits. Each handler has a position:
it is done with every event up to there. What all positions have passed is
pruned, so an event costs one insert and a share of one update, however many
handlers there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import orjson
from peewee import BigIntegerField, Database, IntegerField, TextField, fn

from biont.event import Event
from biont.store.database import InstantField, Table


class JournalRow(Table):
    """One event, as written."""

    sequence = BigIntegerField(primary_key=True)
    id = TextField()
    user_id = IntegerField()
    event_type = TextField()
    payload = TextField()
    created_at = InstantField()
    correlation_id = TextField()
    causation_id = TextField(null=True)
    hops = IntegerField()

    class Meta:
        table_name = "journal"


class HandlerPosition(Table):
    """How far one handler has come."""

    handler = TextField(primary_key=True)
    plugin = TextField()
    sequence = BigIntegerField()


class DeadLetter(Table):
    """An event that one handler failed for good."""

    handler = TextField(index=True)
    event_id = TextField()
    event_type = TextField()
    user_id = IntegerField()
    event = TextField()
    error = TextField()
    attempts = IntegerField()
    failed_at = InstantField()


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its place in the journal."""

    sequence: int
    event: Event


_Row = tuple[int, str, int, str, str, datetime, str, str | None, int]

_INSERT = (
    'INSERT INTO "journal" ("sequence", "id", "user_id", "event_type", "payload", "created_at",'
    ' "correlation_id", "causation_id", "hops") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'
)


def append_events(database: Database, first: int, events: Sequence[Event]) -> list[Entry]:
    """Insert `events`, numbered from `first`, in one statement; return them as entries."""
    entries = [Entry(first + offset, event) for offset, event in enumerate(events)]
    # Plain parameters: building a model instance an event costs more than the insert.
    database.connection().executemany(_INSERT, [_to_parameters(entry) for entry in entries])
    return entries


def _to_parameters(entry: Entry) -> tuple[object, ...]:
    event = entry.event
    return (
        entry.sequence,
        event.id,
        event.user_id,
        event.event_type,
        orjson.dumps(event.payload).decode(),
        event.created_at.isoformat(" "),
        event.correlation_id,
        event.causation_id,
        event.hops,
    )


def read_last_sequence() -> int:
    """Return the highest number ever given to an event, 0 when there was none."""
    last = JournalRow.select(fn.MAX(JournalRow.sequence)).scalar() or 0
    passed = HandlerPosition.select(fn.MAX(HandlerPosition.sequence)).scalar() or 0
    return max(int(last), int(passed))


def read_entries(after: int, limit: int) -> list[Entry]:
    """Return the next `limit` events behind the number `after`, in order."""
    query = (
        JournalRow.select()
        .where(JournalRow.sequence > after)
        .order_by(JournalRow.sequence)
        .limit(limit)
        .tuples()
    )
    return [Entry(row[0], _to_event(row)) for row in cast("Iterable[_Row]", query)]


def _to_event(row: _Row) -> Event:
    _, event_id, user_id, event_type, payload, created_at, correlation_id, causation_id, hops = row
    return Event(
        event_id,
        user_id,
        event_type,
        orjson.loads(payload),
        created_at,
        correlation_id,
        causation_id,
        hops,
    )


def read_positions() -> dict[str, int]:
    """Return the position of each known handler."""
    return {row.handler: row.sequence for row in HandlerPosition.select()}


def forget_positions(keep: Iterable[str], keep_plugins: Iterable[str]) -> None:
    """Drop the positions of handlers that are gone, so that they hold nothing back.

    Those of `keep_plugins` stay: a plugin in quarantine gets its events when it is mended.
    """
    HandlerPosition.delete().where(
        HandlerPosition.handler.not_in(list(keep)),
        HandlerPosition.plugin.not_in(list(keep_plugins)),
    ).execute()


def save_positions(positions: Mapping[tuple[str, str], int]) -> None:
    """Store how far the handlers, each as ``(plugin, handler)``, have come; prune behind them."""
    rows = [
        {"handler": handler, "plugin": plugin, "sequence": sequence}
        for (plugin, handler), sequence in positions.items()
    ]
    HandlerPosition.insert_many(rows).on_conflict_replace().execute()
    passed = HandlerPosition.select(fn.MIN(HandlerPosition.sequence)).scalar()
    JournalRow.delete().where(JournalRow.sequence <= passed).execute()
