"""The durable record of events that some handler has not yet handled.

Events are numbered in the order of their commits. Each handler has a position:
it is done with every event up to there. What all positions have passed is
pruned, so an event costs a share of one insert and of one update, however many
handlers there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, cast

import orjson
from peewee import BigIntegerField, Database, TextField, fn

from biont.event import Event
from biont.store.database import Table
from biont.store.transaction import Transaction


class JournalBlock(Table):
    """Some events that were committed together.

    Attributes:
        last: the number of the last of them.
        entries: all of them as JSON, in order; see `_to_columns`.
    """

    last = BigIntegerField(primary_key=True)
    entries = TextField()

    class Meta:
        table_name = "journal_blocks"


class HandlerPosition(Table):
    """How far one handler has come."""

    handler = TextField(primary_key=True)
    plugin = TextField()
    sequence = BigIntegerField()


class JournalEntry(NamedTuple):
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

    kept: Sequence[JournalEntry]
    again: Mapping[str, Sequence[JournalEntry]]


Recorder = Callable[[Transaction, Sequence[JournalEntry]], Recording]
"""Is shown new events inside the transaction that makes them durable."""

_BLOCK_SIZE = 250
"""How many events one row holds at most: as many are read at once, however few are wanted."""


def keep_all(_: Transaction, entries: Sequence[JournalEntry]) -> Recording:
    """Keep every event in the journal, for handlers that are to come."""
    return Recording(entries, {})


def append_entries(database: Database, entries: Sequence[JournalEntry]) -> None:
    """Insert `entries`, few rows for however many."""
    connection = database.connection()
    for first in range(0, len(entries), _BLOCK_SIZE):
        block = entries[first : first + _BLOCK_SIZE]
        columns = orjson.dumps([_to_columns(entry) for entry in block]).decode()
        connection.execute(
            'INSERT INTO "journal_blocks" ("last", "entries") VALUES (?, ?)',
            (block[-1].sequence, columns),
        )


def read_last_sequence() -> int:
    """Return the highest number of any event that may not have been handled, 0 for none."""
    last = JournalBlock.select(fn.MAX(JournalBlock.last)).scalar() or 0
    passed = HandlerPosition.select(fn.MAX(HandlerPosition.sequence)).scalar() or 0
    return max(int(last), int(passed))


def read_entries(first: int, last: int, limit: int) -> list[JournalEntry]:
    """Return up to `limit` events numbered from `first` to `last`, in order."""
    found: list[JournalEntry] = []
    blocks = (
        JournalBlock.select(JournalBlock.entries)
        .where(JournalBlock.last >= first)
        .order_by(JournalBlock.last)
        .tuples()
    )
    for (entries,) in cast("Iterable[tuple[str]]", blocks.iterator()):
        for columns in orjson.loads(entries):
            sequence = columns[0]
            if sequence > last or len(found) == limit:
                return found
            if sequence >= first:
                found.append(_from_columns(columns))
    return found


_Columns = tuple[int, str, int, str, str, str, str, str | None, int]


def _to_columns(entry: JournalEntry) -> tuple[object, ...]:
    event = entry.event
    return (
        entry.sequence,
        event.id,
        event.user_id,
        event.event_type,
        event.payload_json,
        event.created_at,
        event.correlation_id,
        event.causation_id,
        event.hops,
    )


def _from_columns(columns: _Columns) -> JournalEntry:
    sequence, event_id, user_id, event_type, payload_json, created_at = columns[:6]
    correlation_id, causation_id, hops = columns[6:]
    event = Event(
        id=event_id,
        user_id=user_id,
        event_type=event_type,
        payload=orjson.loads(payload_json),
        created_at=datetime.fromisoformat(created_at),
        correlation_id=correlation_id,
        causation_id=causation_id,
        hops=hops,
        payload_json=payload_json,
    )
    return JournalEntry(sequence, event)


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
    JournalBlock.delete().where(JournalBlock.last <= passed).execute()
