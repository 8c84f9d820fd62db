"""Journal: the durable record of events that some handler has not handled yet.

Events are numbered in the order of their commits. The events of one commit share a row, the
block, of at most `_BLOCK_SIZE` events: a row for each event would cost ten times as much.

Each handler has a position: the handler is done with every event up to that number. Positions
are saved a few times a second, so a crash makes a handler see the last events again. A block is
pruned when all positions have reached its last event. So an event costs a share of one insert
and of one update, however many handlers there are:

    committed --in a block--> read by handlers --all positions past the block--> pruned

The position also moves past an event that failed: the dead letter has a row of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, cast

import orjson
from peewee import BigIntegerField, Database, TextField, fn

from biont.event import Event
from biont.store.database import Table, dump_json
from biont.store.transaction import Transaction


class JournalBlock(Table):
    """Events of one commit.

    Attributes:
        last: the number of the last event.
        entries: all events as a JSON list, in order; see `_to_columns`.
    """

    last = BigIntegerField(primary_key=True)
    entries = TextField()

    class Meta:
        table_name = "journal_blocks"


class HandlerPosition(Table):
    """The position of one handler: the number of the last event that the handler is done with."""

    handler = TextField(primary_key=True)
    plugin = TextField()
    sequence = BigIntegerField()


class JournalEntry(NamedTuple):
    """An event with its number."""

    sequence: int
    event: Event


@dataclass(frozen=True, slots=True)
class TransactionalResult:
    """The result of calling the transactional handlers with new events.

    Attributes:
        journaled: the events that go into the journal, because a handler sees them later.
        redelivered: the events that a transactional handler has failed or deferred, and
            has to see again, by handler.
    """

    journaled: Sequence[JournalEntry]
    redelivered: Mapping[str, Sequence[JournalEntry]]


CallTransactionalHandlers = Callable[[Transaction, Sequence[JournalEntry]], TransactionalResult]
"""A function that is called with new events, inside the transaction that makes them durable."""

_BLOCK_SIZE = 250
"""Largest number of events in a row; a read parses the whole row."""

_LARGEST_SEARCH = 64 * 1024 * 1024
"""The most text that a search for one event reads: about 50 ms."""


def journal_all(_: Transaction, entries: Sequence[JournalEntry]) -> TransactionalResult:
    """Put every event into the journal, because the handlers are not known yet."""
    return TransactionalResult(entries, {})


def append_entries(database: Database, entries: Sequence[JournalEntry]) -> None:
    """Insert `entries`, up to `_BLOCK_SIZE` in a row."""
    connection = database.connection()
    for first in range(0, len(entries), _BLOCK_SIZE):
        block = entries[first : first + _BLOCK_SIZE]
        columns = dump_json([_to_columns(entry) for entry in block])
        connection.execute(
            'INSERT INTO "journal_blocks" ("last", "entries") VALUES (?, ?)',
            (block[-1].sequence, columns),
        )


def read_last_sequence() -> int:
    """Return the highest number that was given to an event and is still known, 0 for none."""
    # Both, because a pruned journal is empty, and positions are saved only now and then.
    last = JournalBlock.select(fn.MAX(JournalBlock.last)).scalar() or 0
    # From the table, because the positions of plugins in quarantine count as well.
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


def find_sequence(event_id: str, first: int, last: int) -> int | None:
    """Return the number of an event in a part of the journal; 0 if the part does not have it.

    None if the part is too long to be searched. The newest events are searched first.
    """
    blocks = (
        JournalBlock.select(JournalBlock.entries)
        .where(JournalBlock.last >= first)
        .order_by(JournalBlock.last.desc())
        .tuples()
    )
    mark, left = dump_json(event_id), _LARGEST_SEARCH
    for (entries,) in cast("Iterable[tuple[str]]", blocks.iterator()):
        # A search in the text costs a tenth of parsing the text.
        for columns in orjson.loads(entries) if mark in entries else ():
            sequence: int = columns[0]
            if columns[1] == event_id:
                return sequence if first <= sequence <= last else 0
        left -= len(entries)
        if left < 0:
            return None
    return 0


_Columns = tuple[int, str, int, str, str, str, str, str | None, int, *tuple[str, ...]]


def _to_columns(entry: JournalEntry) -> tuple[object, ...]:
    event = entry.event
    columns = (
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
    # Almost no event has an origin, and an earlier version wrote no such column.
    return columns if event.origin is None else (*columns, event.origin)


def _from_columns(columns: _Columns) -> JournalEntry:
    sequence, event_id, user_id, event_type, payload_json, created_at = columns[:6]
    correlation_id, causation_id, hops, *origin = columns[6:]
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
        origin=origin[0] if origin else None,
    )
    return JournalEntry(sequence, event)


def read_positions() -> dict[str, int]:
    """Return the position of each known handler."""
    return {row.handler: row.sequence for row in HandlerPosition.select()}


def forget_positions(keep: Iterable[str], keep_plugins: Iterable[str]) -> None:
    """Delete the positions of handlers that are gone, because an old position stops pruning.

    Positions of `keep_plugins` stay: a plugin in quarantine gets the events after its repair.
    """
    HandlerPosition.delete().where(
        HandlerPosition.handler.not_in(list(keep)),
        HandlerPosition.plugin.not_in(list(keep_plugins)),
    ).execute()


def save_positions(positions: Mapping[tuple[str, str], int]) -> None:
    """Save `positions` by ``(plugin, handler)``; prune blocks that all handlers have passed."""
    rows = [
        {"handler": handler, "plugin": plugin, "sequence": sequence}
        for (plugin, handler), sequence in positions.items()
    ]
    HandlerPosition.insert_many(rows).on_conflict_replace().execute()
    # From the table, because the positions of plugins in quarantine count as well.
    passed = HandlerPosition.select(fn.MIN(HandlerPosition.sequence)).scalar()
    JournalBlock.delete().where(JournalBlock.last <= passed).execute()
