"""The durable record of events that some handler has not yet handled.

Events are numbered in the order of their commits. Each handler has a position:
it is done with every event up to there. What all positions have passed is
pruned, so an event costs one insert and a share of one update, however many
handlers there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import orjson
from peewee import BigIntegerField, Database, IntegerField, TextField, fn

from biont.event import Event
from biont.store.database import InstantField, Table
from biont.store.transaction import Transaction


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


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its place in the journal."""

    sequence: int
    event: Event


@dataclass(frozen=True, slots=True)
class Recording:
    """What became of new events before their transaction was committed.

    Attributes:
        kept: those that go into the journal, since a handler has to see them later.
        again: what transactional handlers have to see again, by handler: what they
            have failed, or deferred.
    """

    kept: Sequence[Entry]
    again: Mapping[str, Sequence[Entry]]


Recorder = Callable[[Transaction, Sequence[Entry]], Recording]
"""Is shown new events inside the transaction that makes them durable."""

_Row = tuple[int, str, int, str, str, datetime, str, str | None, int]

# One statement with one parameter: each step of a statement gives the interpreter's lock
# away and has to win it back from a busy event loop, so that many rows cost many waits.
_INSERT = """
    INSERT INTO "journal" ("sequence", "id", "user_id", "event_type", "payload", "created_at",
        "correlation_id", "causation_id", "hops")
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
        value ->> 6, value ->> 7, value ->> 8
    FROM json_each(?)
"""


def keep_all(_: Transaction, entries: Sequence[Entry]) -> Recording:
    """Keep every event in the journal, for handlers that are to come."""
    return Recording(entries, {})


def append_entries(database: Database, entries: Sequence[Entry]) -> None:
    """Insert `entries` in one statement."""
    rows = [
        (
            entry.sequence,
            entry.event.id,
            entry.event.user_id,
            entry.event.event_type,
            entry.event.payload_json,
            entry.event.created_at.isoformat(" "),
            entry.event.correlation_id,
            entry.event.causation_id,
            entry.event.hops,
        )
        for entry in entries
    ]
    database.connection().execute(_INSERT, (orjson.dumps(rows).decode(),))


def read_last_sequence() -> int:
    """Return the highest number of any event that may not have been handled, 0 for none."""
    last = JournalRow.select(fn.MAX(JournalRow.sequence)).scalar() or 0
    passed = HandlerPosition.select(fn.MAX(HandlerPosition.sequence)).scalar() or 0
    return max(int(last), int(passed))


def read_entries(first: int, last: int, limit: int) -> list[Entry]:
    """Return up to `limit` events numbered from `first` to `last`, in order."""
    query = (
        JournalRow.select()
        .where(JournalRow.sequence.between(first, last))
        .order_by(JournalRow.sequence)
        .limit(limit)
        .tuples()
    )
    return [_to_entry(row) for row in cast("Iterable[_Row]", query)]


def _to_entry(row: _Row) -> Entry:
    sequence, event_id, user_id, event_type, payload, created_at, correlation_id = row[:7]
    causation_id, hops = row[7:]
    event = Event(
        event_id,
        user_id,
        event_type,
        orjson.loads(payload),
        created_at,
        correlation_id,
        causation_id,
        hops,
        payload,
    )
    return Entry(sequence, event)


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
