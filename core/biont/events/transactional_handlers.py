"""Runs the transactional handlers inside the transaction of their events."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import structlog
from peewee import OperationalError

from biont.events.handlers import Handler, Record
from biont.exceptions import PluginError, StoreUnavailable
from biont.store.database import TransactionUndone, active_savepoint, judge_error
from biont.store.journal import JournalEntry, Recording
from biont.store.transaction import Transaction

_log = structlog.get_logger("biont.events")


@dataclass(frozen=True, slots=True)
class _Call:
    """A handler, and what it is called with."""

    name: str
    record: Record
    entries: Sequence[JournalEntry]


class TransactionalHandlers:
    """Takes part in each commit of events, on the writer's thread.

    Args:
        handlers: those that are transactional.
        is_awaited: says whether an event type has to be kept in the journal, for
            handlers that see it later.
    """

    def __init__(
        self,
        handlers: Sequence[Handler],
        is_awaited: Callable[[str], bool],
    ) -> None:
        self._handlers = [
            (handler.name, handler.record, functools.lru_cache(1024)(handler.subscription.matches))
            for handler in handlers
            if handler.record is not None
        ]
        self._is_awaited = is_awaited
        self._has_failed = False

    def record(self, transaction: Transaction, entries: Sequence[JournalEntry]) -> Recording:
        """Show the events to each handler; say what the journal has to keep.

        One that raises has written nothing, and gets the events from the journal.

        Raises:
            OperationalError: the database is of no use to anybody for now.
            TransactionUndone: a handler, or a full disk, has ended the transaction.
        """
        event_types = {entry.event.event_type for entry in entries}
        calls = [
            _Call(name, record, meant)
            for name, record, matches in self._handlers
            if (meant := _choose(entries, event_types, matches))
        ]
        again = self._call_together(transaction, calls) or self._call_apart(transaction, calls)
        again = {name: left for name, left in again.items() if left}
        kept = _choose(entries, event_types, self._is_awaited)
        if again and kept is not entries:
            sequences = {entry.sequence for some in (kept, *again.values()) for entry in some}
            kept = [entry for entry in entries if entry.sequence in sequences]
        return Recording(kept, again)

    def _call_together(
        self, transaction: Transaction, calls: Sequence[_Call]
    ) -> dict[str, Sequence[JournalEntry]]:
        """Call all handlers in one savepoint, which is quicker; return nothing when one fails."""
        if self._has_failed:
            return {}
        try:
            with active_savepoint():
                return {call.name: self._call(transaction, call) for call in calls}
        except Exception as error:
            if _is_of_no_use(error):
                raise
            # It comes again when they are called apart.
            _forget(transaction, 0)
            return {}

    def _call_apart(
        self, transaction: Transaction, calls: Sequence[_Call]
    ) -> dict[str, Sequence[JournalEntry]]:
        """Call each handler in a savepoint of its own; return what each has to see again."""
        self._has_failed = False
        again: dict[str, Sequence[JournalEntry]] = {}
        for call in calls:
            called_back = len(transaction.callbacks)
            try:
                with active_savepoint():
                    again[call.name] = self._call(transaction, call)
            except Exception as error:
                if _is_of_no_use(error):
                    raise
                self._has_failed = True
                _forget(transaction, called_back)
                _log.warning("handler failed", handler=call.name, error=repr(error))
                again[call.name] = call.entries
        return again

    def _call(self, transaction: Transaction, call: _Call) -> Sequence[JournalEntry]:
        """Call a handler; return what it has deferred."""
        transaction.deferred = []
        call.record(transaction, [entry.event for entry in call.entries])
        if transaction.events:
            raise PluginError(
                f"the transactional handler {call.name} emits; only other handlers may"
            )
        if not transaction.deferred:
            return []
        deferred = {event.id for event in transaction.deferred}
        return [entry for entry in call.entries if entry.event.id in deferred]


def _is_of_no_use(error: Exception) -> bool:
    """Say whether an error means that the database is of no use to anybody for now."""
    return isinstance(error, TransactionUndone) or (
        isinstance(error, OperationalError) and isinstance(judge_error(error), StoreUnavailable)
    )


def _forget(transaction: Transaction, called_back: int) -> None:
    """Forget what a failed handler wanted of its transaction."""
    del transaction.callbacks[called_back:]
    transaction.events.clear()


def _choose(
    entries: Sequence[JournalEntry], event_types: Collection[str], is_meant: Callable[[str], bool]
) -> Sequence[JournalEntry]:
    """Return the entries of the types that are meant: as a rule all, or none."""
    meant = {event_type for event_type in event_types if is_meant(event_type)}
    if len(meant) == len(event_types):
        return entries
    return [entry for entry in entries if entry.event.event_type in meant] if meant else []
