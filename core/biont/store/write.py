"""Writes, as they wait for the writer and come back from it."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from peewee import Database

from biont.event import Event
from biont.store.database import activate
from biont.store.journal import JournalEntry
from biont.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class TransactionCall:
    """A function with the transaction and the context variables that the function gets."""

    function: Callable[[Transaction], object]
    transaction: Transaction
    context: contextvars.Context

    def run(self, database: Database) -> object:
        """Return the result of the function; tables mean `database` meanwhile."""
        return self.context.run(self._run_active, database)

    def _run_active(self, database: Database) -> object:
        with activate(database):
            return self.function(self.transaction)


@dataclass(slots=True)
class Write:
    """A submitted write, with its result or error.

    Attributes:
        call: the function to run; None for a write of nothing but new events.
        events: the new events; the function may add events.
        future: resolved with the result or the error after the transaction.
    """

    call: TransactionCall | None
    events: list[Event]
    future: asyncio.Future[object]
    result: object = None
    error: Exception | None = None

    def refuse(self, error: Exception) -> None:
        """Undo this write alone, because of `error`."""
        self.error = error
        self.events.clear()
        raise Refused from error


class Refused(Exception):
    """A write has failed; raised through its savepoint, which undoes the changes."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The result of one transaction.

    Attributes:
        writes: the writes of the batch, each with its result or error.
        entries: the new events, in order.
        redelivered: events that transactional handlers have to see again, by handler.
        callbacks: functions that the transactional handlers want called after the commit.
    """

    writes: Sequence[Write]
    entries: Sequence[JournalEntry] = ()
    redelivered: Mapping[str, Sequence[JournalEntry]] = field(default_factory=dict)
    callbacks: Sequence[Callable[[], None]] = ()
